using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .digits)],
  sockets = [(name = "http", address = "127.0.0.1:8080", http = (), service = "main")],
);

const digits :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.mjs"),
    (name = "digits.wasm", wasm = embed "digits.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
