import { check, either, whole } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import { type EmbeddingOptions, embedding as lookUp, paddingOf } from '../functions/gather.ts';
import { Parameter } from '../graph/variable.ts';
import * as init from './init.ts';
import { layer, needed, optional } from './layer.ts';
import { type Module, module } from './module.ts';

const padding = whole(-(2 ** 31), 2 ** 31 - 1);
const checkOptions = optionsOf<EmbeddingOptions>('embedding', { paddingIdx: padding });

/**
 * A learned row for each index: i32 (...) -> (..., embeddingDim). The weight is (numEmbeddings, embeddingDim), normal with
 * deviation 1; the row `paddingIdx` starts as 0 and gets no gradient (torch.nn.Embedding).
 */
export const embedding: (numEmbeddings: number, embeddingDim: number, options?: EmbeddingOptions) => Module =
  layer(
    'embedding',
    {
      numEmbeddings: needed<number>(whole(1)),
      embeddingDim: needed<number>(whole(1)),
      paddingIdx: optional<number | null>(
        null,
        either(
          padding,
          check('null', (x) => x === null),
        ),
      ),
    },
    ({ numEmbeddings, embeddingDim, paddingIdx }) => {
      const row = paddingOf(paddingIdx ?? undefined, numEmbeddings);
      const normal = init.normal();
      const weight = new Parameter([numEmbeddings, embeddingDim], (random, data, shape) => {
        normal(random, data, shape);
        if (row !== undefined) data.fill(0, row * embeddingDim, (row + 1) * embeddingDim);
      });
      return module({ weight }, (x, p) => lookUp(x, p.weight, row === undefined ? {} : { paddingIdx: row }));
    },
    (make) => (numEmbeddings, embeddingDim, options) =>
      make({ ...checkOptions(options), numEmbeddings, embeddingDim }),
  );
