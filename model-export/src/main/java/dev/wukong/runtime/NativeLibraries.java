package dev.wukong.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * ONNX Runtime's native libraries, unpacked once into a folder of the user. The library itself
 * unpacks its 28 MB into a temporary folder at every start, and a killed process leaves them there.
 * That is still what happens where no folder can be used.
 */
final class NativeLibraries {
  /** Where ONNX Runtime looks for its libraries, when it is set. */
  static final String PATH = "onnxruntime.native.path";

  /** The folder of the unpacked libraries; empty: do not keep them. */
  static final String CACHE = "wukong.onnxruntime.cache";

  private static final System.Logger log = System.getLogger(NativeLibraries.class.getName());
  private static final List<String> NAMES = List.of("libonnxruntime.so", "libonnxruntime4j_jni.so");

  /** Only the build for GPUs has it; its other libraries find each other in their own way. */
  private static final String GPU_ONLY = "libonnxruntime_providers_shared.so";

  private static final String TEMPORARY = ".tmp-";
  private static final String LOCK = ".lock";

  /** A library in the jar, with what the jar says of it. */
  private record Library(String name, URL url, long size, long crc) {
    boolean is(Path file) throws IOException {
      return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
          && Files.size(file) == size
          && sum(file) == crc;
    }

    private static long sum(Path file) throws IOException {
      CRC32 sum = new CRC32();
      byte[] block = new byte[1 << 16];
      try (InputStream in = Files.newInputStream(file)) {
        for (int n = in.read(block); n >= 0; n = in.read(block)) {
          sum.update(block, 0, n);
        }
      }
      return sum.getValue();
    }
  }

  private NativeLibraries() {}

  /**
   * Makes ONNX Runtime load its libraries from the user's folder, unless its own property says
   * where. Called before any class of the library is touched.
   */
  static void prepare() {
    if (System.getProperty(PATH) != null) {
      return;
    }
    Optional<Path> root = root();
    if (root.isEmpty()) {
      return;
    }
    try {
      Optional<Path> folder = unpacked(root.get());
      if (folder.isPresent() && loads(folder.get())) {
        System.setProperty(PATH, folder.get().toString());
      }
    } catch (IOException | UncheckedIOException e) {
      log.log(
          Level.DEBUG,
          "{0} cannot be used, so the libraries are unpacked once more: {1}",
          root.get(),
          e);
    }
  }

  private static Optional<Path> root() {
    String chosen = System.getProperty(CACHE);
    if (chosen != null) {
      return chosen.isEmpty() ? Optional.empty() : Optional.of(Path.of(chosen).toAbsolutePath());
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    if (cache != null && Path.of(cache).isAbsolute()) {
      return Optional.of(Path.of(cache, "wukong"));
    }
    Path home = Path.of(System.getProperty("user.home", ""));
    return home.isAbsolute() ? Optional.of(home.resolve(".cache/wukong")) : Optional.empty();
  }

  /**
   * The folder below {@code root} with this build's libraries, whole; made where missing.
   *
   * @return empty where this build or this platform is left to ONNX Runtime
   * @throws IOException where {@code root} cannot be used
   */
  static Optional<Path> unpacked(Path root) throws IOException {
    List<Library> libraries = new ArrayList<>();
    String version = "";
    for (String name : NAMES) {
      if (!(connection(name) instanceof JarURLConnection jar)) {
        return Optional.empty();
      }
      JarEntry entry = jar.getJarEntry();
      libraries.add(new Library(name, jar.getURL(), entry.getSize(), entry.getCrc()));
      version =
          String.valueOf(jar.getManifest().getMainAttributes().getValue("Implementation-Version"));
    }
    if (connection(GPU_ONLY) != null) {
      return Optional.empty();
    }
    String hash = libraries.stream().map(l -> "%08x".formatted(l.crc())).reduce("", String::concat);
    Path folder = root.resolve("onnxruntime-" + version + "-" + hash);
    if (!whole(folder, libraries)) {
      unpack(root, folder, libraries);
    }
    return Optional.of(folder);
  }

  /** The resource of this platform's library {@code name}; null where there is none. */
  private static @Nullable URLConnection connection(String name) throws IOException {
    String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String platform =
        switch (System.getProperty("os.arch", "")) {
          case "amd64", "x86_64" -> "linux-x64";
          case "aarch64" -> "linux-aarch64";
          default -> "";
        };
    if (!os.contains("linux") || platform.isEmpty()) {
      return null;
    }
    URL url =
        NativeLibraries.class
            .getClassLoader()
            .getResource("ai/onnxruntime/native/" + platform + "/" + name);
    return url == null ? null : url.openConnection();
  }

  /** Whether {@code folder} is this user's alone and has every byte of the libraries. */
  private static boolean whole(Path folder, List<Library> libraries) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    refuseOthers(folder);
    for (Library library : libraries) {
      Path file = folder.resolve(library.name());
      if (!library.is(file)) {
        return false;
      }
      refuseOthers(file);
    }
    return true;
  }

  /** Code that somebody else may change is not loaded. */
  private static void refuseOthers(Path path) throws IOException {
    Set<PosixFilePermission> permissions =
        Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
    if (permissions.contains(PosixFilePermission.GROUP_WRITE)
        || permissions.contains(PosixFilePermission.OTHERS_WRITE)
        || !Files.getOwner(path, LinkOption.NOFOLLOW_LINKS)
            .equals(Files.getOwner(Path.of("/proc/self")))) {
      throw new IOException(path + " belongs to another user, or others may write to it");
    }
  }

  /**
   * Unpacks beside and renames: other processes see all of it or nothing. One at a time, so that
   * none takes away what another has just made.
   */
  private static synchronized void unpack(Path root, Path folder, List<Library> libraries)
      throws IOException {
    Files.createDirectories(
        root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    refuseOthers(root);
    try (FileChannel channel =
            FileChannel.open(
                root.resolve(LOCK),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS);
        FileLock lock = channel.lock()) {
      if (!lock.isValid() || whole(folder, libraries)) {
        return;
      }
      removeLeftovers(root);
      Path temporary = Files.createTempDirectory(root, TEMPORARY);
      for (Library library : libraries) {
        Path file = temporary.resolve(library.name());
        try (InputStream in = library.url().openStream()) {
          Files.copy(in, file);
        }
        // Whatever the process's umask leaves to others.
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
      }
      if (!whole(temporary, libraries)) {
        throw new IOException("the libraries in the jar differ from what it says of them");
      }
      if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
        // Damaged. Processes that have it loaded keep what they have.
        Files.move(
            folder, root.resolve(temporary.getFileName() + "-old"), StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
      removeLeftovers(root);
    }
  }

  /** What a killed process has left, or a damaged folder moved aside; the lock is held. */
  private static void removeLeftovers(Path root) throws IOException {
    try (Stream<Path> folders = Files.list(root)) {
      for (Path each : folders.toList()) {
        if (each.getFileName().toString().startsWith(TEMPORARY)) {
          remove(each);
        }
      }
    }
  }

  private static void remove(Path folder) throws IOException {
    if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  /** Whether the folder's files may be loaded: a file system may be mounted without that right. */
  @SuppressWarnings("restricted") // The library that ONNX Runtime is about to load itself.
  private static boolean loads(Path folder) {
    try {
      System.load(folder.resolve(NAMES.getFirst()).toString());
      return true;
    } catch (UnsatisfiedLinkError e) {
      log.log(Level.DEBUG, "{0} cannot be loaded from: {1}", folder, e);
      return false;
    }
  }
}
