/** What every door to the library gives: all but createEngine(), which differs in the backends it knows. */
export type { Backend, Entry, Program, Run, Source } from './backend/backend.ts';
export type { CompileProgress, WebgpuBackend } from './backend/webgpu/backend.ts';
export type { WebgpuProgram } from './backend/webgpu/program.ts';
export type { GpuCache } from './backend/webgpu/tune.ts';
export type { Bytes } from './core/arrays.ts';
export type { DType, TypedArray } from './core/dtype.ts';
export { BiphaseError, type ErrorCode } from './core/errors.ts';
export { Random } from './core/random.ts';
export type { Shape } from './core/shape.ts';
export * as data from './data/index.ts';
export { type DistillOptions, distill } from './distill.ts';
export {
  type LoadedModel,
  type LoadOptions,
  loadModel,
  type SaveOptions,
  type StoredModel,
  saveModel,
} from './files/model-file.ts';
export type { ServingOptions } from './files/serving.ts';
export * as ops from './functions/index.ts';
export { differentiate } from './graph/autodiff.ts';
export { buildPlan } from './graph/build-plan.ts';
export type { GrowingPlan } from './graph/growing.ts';
export type { Plan, Section, Slot, Step } from './graph/plan.ts';
export { Tensor, Tracer } from './graph/trace.ts';
export * as metrics from './metrics/index.ts';
export { FrozenModel } from './model/frozen.ts';
export { type ArraysOf, f32, i32, type ResultsOf, type Signature, u8 } from './model/signature.ts';
export * as nn from './nn/index.ts';
export type { AttrsOf, OpName } from './ops/index.ts';
export * as optim from './optim/index.ts';
export type { AccumulateOptions } from './plans/accumulate.ts';
export type { AverageOptions } from './plans/average.ts';
export type { CalibrationMethod } from './quantize/calibrate.ts';
export type { QuantizedModel } from './quantize/quantize.ts';
export type { QuantizedOp } from './quantize/rewrite.ts';
export type { BackendName, Finding } from './scheduler/choose/choose.ts';
export type { ExplainedBackend, Explanation, Part, Prediction } from './scheduler/choose/explain.ts';

export type { Engine, InferOptions } from './scheduler/engine.ts';
export type { Inference } from './scheduler/serve/inference.ts';
export type { Predictor } from './scheduler/serve/predictor.ts';
export type { PredictorOptions } from './scheduler/serve/predictor-options.ts';
export type { PredictorCost, PredictorStats } from './scheduler/serve/predictor-stats.ts';
export type { EvaluateOptions, PredictOptions } from './scheduler/train/evaluate.ts';
export { type NotFinite, NotFiniteError, type Quantity } from './scheduler/train/finite.ts';
export type {
  CheckpointOptions,
  FitOptions,
  StepReport,
  TrainingOptions,
} from './scheduler/train/fit-options.ts';
export type { EpochReport } from './scheduler/train/history.ts';
export type { Recovery, RecoveryOptions } from './scheduler/train/recovery.ts';
export type { Fit, FreezeOptions, Training } from './scheduler/train/training.ts';
export type { TrainingCost } from './scheduler/train/training-cost.ts';
export type {
  EarlyStoppingOptions,
  Evaluation,
  ValidationOptions,
} from './scheduler/train/validation-options.ts';
export type { Profile, TraceEvent } from './scheduler/turns/profile.ts';
