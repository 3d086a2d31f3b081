import * as f from '../../src/functions/index.ts';
import type { Tensor } from '../../src/graph/trace.ts';
import { judge } from './kit.ts';

type Call = (x: Tensor[], attrs: never) => Tensor;

const ofOne = {
  ...{ abs: f.abs, sign: f.sign, floor: f.floor, ceil: f.ceil, round: f.round, trunc: f.trunc },
  ...{ exp: f.exp, expm1: f.expm1, log: f.log, log1p: f.log1p, log2: f.log2, log10: f.log10 },
  ...{ sqrt: f.sqrt, rsqrt: f.rsqrt, reciprocal: f.reciprocal, square: f.square, neg: f.neg, erf: f.erf },
  ...{ sin: f.sin, cos: f.cos, tan: f.tan, atan: f.atan, sinh: f.sinh, cosh: f.cosh },
  ...{ relu6: f.relu6, hardsigmoid: f.hardsigmoid, mish: f.mish, selu: f.selu, logsigmoid: f.logsigmoid },
  ...{ softsign: f.softsign, hardswish: f.hardswish, isnan: f.isnan, isfinite: f.isfinite },
  logical_not: f.logicalNot,
};
const ofTwo = {
  ...{ add: f.add, sub: f.sub, mul: f.mul, maximum: f.maximum, minimum: f.minimum, pow: f.pow },
  ...{ fmod: f.fmod, remainder: f.remainder, atan2: f.atan2 },
  ...{ eq: f.eq, ne: f.ne, lt: f.lt, le: f.le, gt: f.gt, ge: f.ge },
  ...{ logical_and: f.logicalAnd, logical_or: f.logicalOr, logical_xor: f.logicalXor, prelu: f.prelu },
};
const called = (table: Readonly<Record<string, (...x: Tensor[]) => Tensor>>): Record<string, Call> =>
  Object.fromEntries(Object.entries(table).map(([name, call]): [string, Call] => [name, (x) => call(...x)]));

judge('unary', {
  ...called(ofOne),
  ...called(ofTwo),
  clip: ([x], { min, max }: { min?: number; max?: number }) => f.clip(x, min, max),
  hardtanh: ([x], { min, max }: { min?: number; max?: number }) => f.hardtanh(x, min, max),
  celu: ([x], { alpha }: { alpha: number }) => f.celu(x, alpha),
  softplus: ([x], { beta }: { beta: number }) => f.softplus(x, beta),
  glu: ([x], { axis }: { axis: number }) => f.glu(x, axis),
  pow_number: ([x], { power }: { power: number }) => f.pow(x, power),
  lerp: ([a, b, w]) => f.lerp(a, b, w),
  lerp_number: ([a, b], { weight }: { weight: number }) => f.lerp(a, b, weight),
  where: ([c, a, b]) => f.where(c, a, b),
  where_sqrt: ([x]) => f.sqrt(f.where(f.gt(x, 0), x, f.neg(x))),
  masked_fill: ([m, x]) => f.maskedFill(x, m, -Infinity),
  masked_fill_two: ([m, x]) => f.maskedFill(x, m, 2),
});
