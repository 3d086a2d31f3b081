import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.ByteSequence;

/**
 * Runs a frozen model on an IDX file of images: Digits MODEL.wasm IMAGES.idx RESULTS [PASSES]
 * Writes the results of all images, one after the other, and prints images per second (of the fastest pass).
 */
public class Digits {
  /** The sizes before the first image of an IDX file: magic number, count, height, width. */
  static final int IDX_HEADER = 16;

  public static void main(String[] args) throws IOException {
    byte[] images = Files.readAllBytes(Path.of(args[1]));
    ByteSequence model = ByteSequence.create(Files.readAllBytes(Path.of(args[0])));
    int passes = args.length > 3 ? Integer.parseInt(args[3]) : 1;
    try (Context context = Context.newBuilder("wasm").option("engine.WarnInterpreterOnly", "false").build()) {
      Value module = context.eval(Source.newBuilder("wasm", model, "digits").build());
      Value exports = module.newInstance().getMember("exports");
      if (fact(exports, "abi_version") != 2) throw new IOException("this program knows ABI version 2");
      // Inputs and outputs have numbers; images are input 0, their scores output 0.
      int input = fact(exports, "input", 0), output = fact(exports, "output", 0), most = fact(exports, "max_batch");
      int sample = fact(exports, "input_bytes", 0), result = fact(exports, "output_bytes", 0);
      Value memory = exports.getMember("memory"), run = exports.getMember("run");

      int total = (images.length - IDX_HEADER) / sample;
      byte[] all = new byte[total * result];
      double fastest = Double.POSITIVE_INFINITY;
      for (int pass = 0; pass < passes; pass++) {
        long begin = System.nanoTime();
        for (int at = 0; at < total; at += most) {
          int count = Math.min(most, total - at);
          int from = IDX_HEADER + at * sample;
          for (int i = 0; i < count * sample; i++) memory.writeBufferByte(input + i, images[from + i]);
          int error = run.execute(count).asInt();
          if (error != 0) throw new IOException("run(" + count + ") gave error " + error);
          memory.readBuffer(output, all, at * result, count * result);
        }
        fastest = Math.min(fastest, (System.nanoTime() - begin) / 1e9);
      }
      Files.write(Path.of(args[2]), all);
      System.out.println(Math.round(total / fastest));
    }
  }

  static int fact(Value exports, String name, Object... index) {
    return exports.getMember(name).execute(index).asInt();
  }
}
