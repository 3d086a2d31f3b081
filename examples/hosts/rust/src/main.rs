//! Runs a frozen model on an IDX file of images: digits MODEL.wasm IMAGES.idx RESULTS [PASSES]
//! Writes the results of all images, one after the other, and prints images per second (of the fastest pass).
use std::{env, fs, time::Instant};
use wasmtime::{Engine, Error, Instance, Module, Result, Store};

/// The sizes before the first image of an IDX file: magic number, count, height, width.
const IDX_HEADER: usize = 16;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    let [_, model, images, results, rest @ ..] = &args[..] else {
        return Err(Error::msg("usage: digits MODEL.wasm IMAGES.idx RESULTS [PASSES]"));
    };
    let passes = rest.first().and_then(|p| p.parse().ok()).unwrap_or(1);
    let images = &fs::read(images)?[IDX_HEADER..];

    let engine = Engine::default();
    let module = Module::new(&engine, fs::read(model)?)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| Error::msg("no memory"))?;
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
    if instance.get_typed_func::<(), i32>(&mut store, "abi_version")?.call(&mut store, ())? != 2 {
        return Err(Error::msg("this program knows ABI version 2"));
    }
    let most = instance.get_typed_func::<(), i32>(&mut store, "max_batch")?.call(&mut store, ())? as usize;
    // Inputs and outputs have numbers; images are input 0, their scores output 0.
    let mut fact = |name: &str| -> Result<usize> {
        let function = instance.get_typed_func::<i32, i32>(&mut store, name)?;
        Ok(function.call(&mut store, 0)? as u32 as usize)
    };
    let (input, output) = (fact("input")?, fact("output")?);
    let (sample, result) = (fact("input_bytes")?, fact("output_bytes")?);

    let mut all = Vec::new();
    let mut rate = 0f64;
    for _ in 0..passes {
        all.clear();
        let begin = Instant::now();
        for batch in images.chunks(most * sample) {
            let count = batch.len() / sample;
            memory.write(&mut store, input, batch)?;
            let error = run.call(&mut store, count as i32)?;
            if error != 0 {
                return Err(Error::msg(format!("run({count}) gave error {error}")));
            }
            all.extend_from_slice(&memory.data(&store)[output..output + count * result]);
        }
        rate = rate.max((images.len() / sample) as f64 / begin.elapsed().as_secs_f64());
    }
    fs::write(results, &all)?;
    println!("{rate:.0}");
    Ok(())
}
