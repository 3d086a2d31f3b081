/** Rollup finds no packages by itself; with this plugin, as its guide says, it does. */
import resolve from '@rollup/plugin-node-resolve';

export default { plugins: [resolve()] };
