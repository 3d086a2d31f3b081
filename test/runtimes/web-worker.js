/** The suite in a worker of a browser. */
import { suite } from './suite.js';

suite().then(
  (report) => postMessage({ report }),
  (error) => postMessage({ error: `${error.message}\n${error.stack}` }),
);
