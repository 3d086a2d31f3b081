/** How such hosts, and their bundlers, import WebAssembly; the files are made by tools/build/dist.ts. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
