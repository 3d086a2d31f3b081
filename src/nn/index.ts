export type { Initializer } from '../graph/parameter.ts';
export { Parameter } from '../graph/parameter.ts';
/** Every activation by name: `nn.activations[name]()` is one with its defaults. */
export * as activations from './activation.ts';
export { fromSpec, specOf } from './from-spec.ts';
export * as init from './init.ts';
export * from './layers.ts';
export * from './losses.ts';
export { type Model, type Module, module, namedParameters } from './module.ts';
export { parameter } from './parameter.ts';
export type { LayerSpec } from './spec.ts';
