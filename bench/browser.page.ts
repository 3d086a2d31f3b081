/** The page of bench/browser.ts without peers. */
import { offer } from './suites/on-page.ts';

offer(async () => []);
