import assign from 'lodash/assign.js';
import cloneDeep from 'lodash/cloneDeep.js';
import cloneDeepWith from 'lodash/cloneDeepWith.js';
import defaults from 'lodash/defaults.js';
import delay from 'lodash/delay.js';
import each from 'lodash/each.js';
import eq from 'lodash/eq.js';
import filter from 'lodash/filter.js';
import forOwn from 'lodash/forOwn.js';
import get from 'lodash/get.js';
import has from 'lodash/has.js';
import indexOf from 'lodash/indexOf.js';
import isArray from 'lodash/isArray.js';
import isError from 'lodash/isError.js';
import isFinite_ from 'lodash/isFinite.js';
import isFunction from 'lodash/isFunction.js';
import isNaN_ from 'lodash/isNaN.js';
import isObject from 'lodash/isObject.js';
import isObjectLike from 'lodash/isObjectLike.js';
import isPlainObject from 'lodash/isPlainObject.js';
import isString from 'lodash/isString.js';
import minBy from 'lodash/minBy.js';
import noop from 'lodash/noop.js';
import now from 'lodash/now.js';
import partial from 'lodash/partial.js';
import pick from 'lodash/pick.js';
import reduce from 'lodash/reduce.js';
import result from 'lodash/result.js';
import template from 'lodash/template.js';
import toArray from 'lodash/toArray.js';

/** The functions of lodash that the benchmark package uses: all of it would be 3 % of what is published. */
export const lodash = {
  assign,
  cloneDeep,
  cloneDeepWith,
  defaults,
  delay,
  each,
  eq,
  filter,
  forOwn,
  get,
  has,
  indexOf,
  isArray,
  isError,
  isFinite: isFinite_,
  isFunction,
  isNaN: isNaN_,
  isObject,
  isObjectLike,
  isPlainObject,
  isString,
  minBy,
  noop,
  now,
  partial,
  pick,
  reduce,
  result,
  template,
  toArray,
};

// The package gives lodash itself for an argument that is still to come, as lodash as a whole takes it.
(partial as unknown as { placeholder: object }).placeholder = lodash;
