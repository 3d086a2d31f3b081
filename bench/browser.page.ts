/** The page of bench/browser.ts without peers. */
import { offer } from './page-runner.ts';

offer(async () => []);
