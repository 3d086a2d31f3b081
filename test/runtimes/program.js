/** The suite as a program, for runtimes that have a command line. */
import { suite } from './suite.js';

console.log(`report ${JSON.stringify(await suite())}`);
