/** A layer of `nn` as JSON says it: the name of its function there, and its arguments by name. */
export type LayerSpec =
  | {
      readonly layer: 'linear';
      readonly inFeatures: number;
      readonly outFeatures: number;
      readonly bias?: boolean;
    }
  | { readonly layer: 'relu' | 'silu' | 'sigmoid' | 'tanh' | 'softplus' | 'hardswish' | 'flatten' }
  | { readonly layer: 'leakyRelu'; readonly slope?: number }
  | { readonly layer: 'elu'; readonly alpha?: number }
  | { readonly layer: 'gelu'; readonly approximate?: 'none' | 'tanh' }
  | { readonly layer: 'softmax' | 'logSoftmax'; readonly axis?: number }
  | { readonly layer: 'dropout'; readonly p?: number }
  | { readonly layer: 'sequential'; readonly layers: readonly LayerSpec[] };
