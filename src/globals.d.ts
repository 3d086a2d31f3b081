// biome-ignore-all lint: they merge with the interfaces of the platform's own types, where those are there
/**
 * Names of the platform in the library's types, for programs whose TypeScript does not know them: before 5.2, without the
 * DOM's types, without those of WebGPU. Where they are known, these add nothing.
 */
interface SymbolConstructor {
  readonly dispose: unique symbol;
  readonly asyncDispose: unique symbol;
}
interface AbortSignal {}
interface GPU {}
interface GPUAdapter {}
interface GPUBindGroup {}
interface GPUBindGroupLayout {}
interface GPUBuffer {}
interface GPUCommandEncoder {}
interface GPUComputePipeline {}
interface GPUDevice {}
interface GPUError {}
declare namespace WebAssembly {
  interface Memory {}
  interface Module {}
}
