import { fail } from '../../core/errors.ts';

/** Who has a training in hand: a fit, which may rest between two steps, or a call. */
export interface Holder {
  readonly what: string;
  rests: boolean;
  ended: boolean;
}

/** Lets one at a time change a training. */
export class Hold {
  private holder: Holder | undefined;

  /** Throws 'busy' where another has it; `step` is how far the training is, for that. */
  take(what: string, step: number): Holder {
    const { holder } = this;
    if (holder)
      fail(
        'busy',
        holder.rests
          ? `a fit() of this training is open after step ${step}: leave its loop (break), call return() on what it gave, or end it with training.stop()`
          : `this training is already running ${holder.what}; await that first`,
      );
    this.holder = { what, rests: false, ended: false };
    return this.holder;
  }

  release(holder: Holder): void {
    if (this.holder === holder) this.holder = undefined;
  }

  /** Takes it from who has it: at once where that rests, else when it is done with what it does. */
  end(): void {
    const { holder } = this;
    if (!holder) return;
    holder.ended = true;
    if (holder.rests) this.holder = undefined;
  }
}
