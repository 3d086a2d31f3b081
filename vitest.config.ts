import { defineConfig } from 'vitest/config';

/**
 * With WASM=wide, V8 joins vectors (src/backend/wasm/wide.ts), and optimizes every function before it is first called: what tests
 * see is then the code that long runs end up with, not the one that they begin with. For a Node from 24 on. With WASM=narrow or
 * wide, tests of backends leave out WebGPU, whose shaders don't care.
 */
const wide = process.env.WASM === 'wide';

export default defineConfig({
  test: {
    execArgv: wide ? ['--experimental-wasm-revectorize', '--no-liftoff'] : [],
    include: ['test/**/*.test.ts'],
    // A process for each file: native code (Dawn) in one test file can't take another down.
    pool: 'forks',
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/setup.ts'],
    // SwiftShader compiles and runs shaders on the CPU: slow is not stuck.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
