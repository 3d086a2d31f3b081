export { Buffer, type Initializer, Parameter, Variable } from '../graph/variable.ts';
/** Every activation by name: `nn.activations[name]()` is one with its defaults. */
export * as activations from './activation.ts';
export { fromSpec, specOf } from './from-spec.ts';
export * as init from './init.ts';
export * from './layers.ts';
export * from './losses.ts';
export {
  type Model,
  type Module,
  module,
  namedParameters,
  namedVariables,
  type Tensors,
  type Values,
} from './module.ts';
export type { LayerSpec } from './spec.ts';
export { type BufferOptions, buffer, parameter } from './variable.ts';
