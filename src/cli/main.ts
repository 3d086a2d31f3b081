#!/usr/bin/env node
import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { bench } from './commands/bench.ts';
import { doctor } from './commands/doctor.ts';
import { freeze } from './commands/freeze.ts';
import { inspect } from './commands/inspect.ts';
import { quantize } from './commands/quantize.ts';
import { run } from './commands/run.ts';
import { serve } from './commands/serve.ts';
import { train } from './commands/train.ts';
import { version } from './models.ts';
import { asProgram } from './program.ts';

const EXAMPLES = `
Examples:
  biphase doctor
  biphase train --data train-images.idx.gz --labels train-labels.idx.gz --hidden 256,128 -o digits.safetensors
  biphase quantize digits.safetensors --calibration train-images.idx.gz -o digits-int8.safetensors
  biphase freeze digits-int8.safetensors -o digits.wasm
  biphase run digits.wasm test-images.idx.gz --labels test-labels.idx.gz
  biphase serve digits-int8.safetensors --port 8080

Results go to stdout, all else to stderr. Exit codes: 0 done, 1 something broke, 2 wrong use or input, 130 stopped by Ctrl-C, 143 by SIGTERM.`;

await asProgram('biphase', async () => {
  const program = new Command('biphase')
    .description('Trains small neural networks and serves them quantized, on WebAssembly and WebGPU.')
    .version(await version())
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(biphase --help tells more)');
  for (const make of [doctor, train, quantize, freeze, run, inspect, bench, serve]) {
    const command = make();
    program.addCommand(
      command.allowExcessArguments(false).showHelpAfterError(`(biphase ${command.name()} --help tells more)`),
    );
  }
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
});
