// What a record of the tape asks for. The build copies this file to where the TypeScript side reads it.

export const MATMUL = 1;
export const MATMUL_I8 = 2;
export const PACK_I8 = 3;
export const BINARY = 4;
export const STRIDED_COPY = 5;
export const FILL = 6;
export const CAST = 7;
export const SCALE = 8;
export const ACTIVATION = 9;
export const ACTIVATION_BACKWARD = 10;
export const REDUCE = 11;
export const MAX_BACKWARD = 12;
export const ARGMAX = 13;
export const GLOBAL_NORM = 14;
export const GATHER = 15;
export const GATHER_BACKWARD = 16;
export const SOFTMAX = 17;
export const SOFTMAX_BACKWARD = 18;
export const LOG_SOFTMAX = 19;
export const LOG_SOFTMAX_BACKWARD = 20;
export const CROSS_ENTROPY = 21;
export const CROSS_ENTROPY_BACKWARD = 22;
export const LOSS = 23;
export const LOSS_BACKWARD = 24;
export const DROPOUT = 25;
export const SGD = 26;
export const ADAM = 27;
export const QUANTIZE = 28;
export const DEQUANTIZE = 29;
export const ACTIVATION_I8 = 30;
export const PROBE_DOT = 31;
export const PROBE_TILE = 32;
export const PACK = 33;

// Which binary function BINARY applies.
export const ADD = 0;
export const SUB = 1;
export const MUL = 2;
export const DIV = 3;

// Which activation ACTIVATION, ACTIVATION_BACKWARD and the epilogue of MATMUL apply; 0 is none.
export const RELU = 1;
export const LEAKY_RELU = 2;
export const GELU = 3;
export const GELU_TANH = 4;
export const SILU = 5;
export const SIGMOID = 6;
export const TANH = 7;
export const SOFTPLUS = 8;
export const HARDSWISH = 9;
export const ELU = 10;

// What REDUCE makes of its terms.
export const SUM = 0;
export const MAX = 1;

// Which loss LOSS and LOSS_BACKWARD compute.
export const MSE = 0;
export const BCE_WITH_LOGITS = 1;
export const HUBER = 2;

// Element types, for CAST and ARGMAX.
export const F32 = 0;
export const I32 = 1;
export const U8 = 2;
export const I8 = 3;
