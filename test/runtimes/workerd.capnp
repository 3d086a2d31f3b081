using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .suite)],
  sockets = [(name = "http", address = "127.0.0.1:8080", http = (), service = "main")],
);

const suite :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.bundle.js"),
    (name = "simd128.wasm", wasm = embed "node_modules/biphase/dist/wasm/simd128.wasm"),
    (name = "relaxed.wasm", wasm = embed "node_modules/biphase/dist/wasm/relaxed.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
