// Runs a frozen model on an IDX file of images: digits MODEL.wasm IMAGES.idx RESULTS [PASSES]
// Writes the results of all images, one after the other, and prints images per second (of the fastest pass).
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/tetratelabs/wazero"
)

const idxHeader = 16 // the sizes before the first image: magic number, count, height, width

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	passes := 1
	if len(os.Args) > 4 {
		passes = must(strconv.Atoi(os.Args[4]))
	}
	images := must(os.ReadFile(os.Args[2]))[idxHeader:]
	ctx := context.Background()
	module := must(wazero.NewRuntime(ctx).Instantiate(ctx, must(os.ReadFile(os.Args[1]))))
	memory, run := module.Memory(), module.ExportedFunction("run")
	fact := func(name string, index ...uint64) uint32 {
		return uint32(must(module.ExportedFunction(name).Call(ctx, index...))[0])
	}
	if fact("abi_version") != 2 {
		log.Fatal("this program knows ABI version 2")
	}
	// Inputs and outputs have numbers; images are input 0, their scores output 0.
	input, output, most := fact("input", 0), fact("output", 0), int(fact("max_batch"))
	sample, result := int(fact("input_bytes", 0)), int(fact("output_bytes", 0))

	var all []byte
	var rate float64
	for ; passes > 0; passes-- {
		all = all[:0]
		begin := time.Now()
		for at := 0; at < len(images); at += most * sample {
			batch := images[at:min(at+most*sample, len(images))]
			count := len(batch) / sample
			memory.Write(input, batch)
			if code := must(run.Call(ctx, uint64(count)))[0]; code != 0 {
				log.Fatalf("run(%d) gave error %d", count, code)
			}
			results, _ := memory.Read(output, uint32(count*result))
			all = append(all, results...)
		}
		rate = max(rate, float64(len(images)/sample)/time.Since(begin).Seconds())
	}
	must(0, os.WriteFile(os.Args[3], all, 0o644))
	fmt.Printf("%.0f\n", rate)
}
