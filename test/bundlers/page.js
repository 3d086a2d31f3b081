/** What each bundler is given: the suite of test/runtimes on a page. */
import { suite } from './suite.js';

suite().then(
  (report) => {
    globalThis.report = { report };
  },
  (error) => {
    globalThis.report = { error: error.stack };
  },
);
