import { sizeOf } from '../../../core/shape.ts';
import type { TapeRecord } from '../../../generated/records.ts';
import type { Operands, TensorRef } from '../../../graph/plan.ts';
import type { Op } from '../../../ops/op.ts';
import type { Unsupported } from '../../backend.ts';
import type { Place } from '../tape.ts';

/** How a step becomes records of the tape; `A`: the attributes of its op. */
export interface Kernel<A extends object = object> {
  encode(step: Operands<A>, place: Place): TapeRecord[];
}

/** What each file of this folder holds: for every op of its family a kernel, or the reason why there is none. */
export type Kernels<Rows> = {
  readonly [N in keyof Rows]: Rows[N] extends Op<infer A> ? Kernel<A> | Unsupported : never;
};

/** Addresses of tensors, each under its operand's name; none for a tensor that is not there. */
export type At = <K extends string>(tensors: Readonly<Record<K, TensorRef | undefined>>) => Record<K, number>;

export const addressesIn = ({ address }: Place): At =>
  function at<K extends string>(tensors: Readonly<Record<K, TensorRef | undefined>>) {
    const addresses = {} as Record<K, number>;
    for (const name in tensors) {
      const tensor = tensors[name];
      if (tensor) addresses[name] = address(tensor);
    }
    return addresses;
  };

/** A step that is one record. */
export const one = <A extends object>(
  record: (step: Operands<A>, at: At, place: Place) => TapeRecord,
): Kernel<A> => ({
  encode: (step, place) => [record(step, addressesIn(place), place)],
});

/** Elements of a tensor. */
export const count = (t: TensorRef): number => sizeOf(t.shape);
