package dev.wukong.serving.figures;

import dev.wukong.bench.BenchmarkContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The service as an image has it: its jar extracted, ONNX Runtime's libraries as files, and an
 * ahead-of-time cache of its classes, made by its rehearsal.
 *
 * @param jar that starts it
 * @param flags of Java that go with it
 */
record InstalledService(Path jar, List<String> flags) {
  /** Installs {@code packaged} in {@code folder}, which is new. */
  static InstalledService in(Path folder, Path packaged) throws IOException, InterruptedException {
    Path app = folder.resolve("app");
    Path natives = Files.createDirectories(folder.resolve("natives"));
    run(
        folder,
        List.of("-Djarmode=tools", "-jar", packaged.toString(), "extract", "--destination", "app"));
    try (Stream<Path> jars = Files.list(app.resolve("lib"))) {
      for (Path jar : jars.filter(j -> name(j).startsWith("onnxruntime")).toList()) {
        unpack(jar, natives);
      }
    }
    Path jar = app.resolve(name(packaged));
    List<String> flags =
        List.of("--enable-native-access=ALL-UNNAMED", "-Donnxruntime.native.path=" + natives);
    Path cache = folder.resolve("service.aot");
    List<String> training = new ArrayList<>(List.of("-XX:AOTCacheOutput=" + cache));
    training.addAll(flags);
    training.addAll(List.of("-jar", jar.toString(), "--rehearse"));
    run(folder, training);
    List<String> all = new ArrayList<>(List.of("-XX:AOTCache=" + cache));
    all.addAll(flags);
    return new InstalledService(jar, all);
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  private static void unpack(Path jar, Path natives) throws IOException {
    String machine = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x64";
    try (FileSystem files = FileSystems.newFileSystem(jar)) {
      Path folder = files.getPath("ai/onnxruntime/native/linux-" + machine);
      if (!Files.isDirectory(folder)) {
        return;
      }
      try (Stream<Path> libraries = Files.list(folder)) {
        libraries.forEach(
            library -> {
              try {
                Files.copy(library, natives.resolve(name(library)));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
      }
    }
  }

  private static void run(Path folder, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(BenchmarkContext.java().toString()));
    command.addAll(arguments);
    Path log = folder.resolve("install.log");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(Redirect.appendTo(log.toFile()))
            .start();
    if (process.waitFor() != 0) {
      throw new IOException(
          "java %s ends with status %d; its log: %s"
              .formatted(String.join(" ", arguments), process.exitValue(), log));
    }
  }
}
