package dev.wukong.launch;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * The main class of the executable jars. It is compiled once more for Java 8, so that an old Java
 * can say what is missing in place of {@code UnsupportedClassVersionError}; the language and the
 * library of this file are therefore those of Java 8.
 */
public final class Launcher {
  static final int OLDEST = 25;

  // By name: a compiler that aims at Java 8 cannot read this class.
  private static final String LOADER = "org.springframework.boot.loader.launch.JarLauncher";

  private Launcher() {}

  /** Starts the jar's application, or says in one line why not and exits with status 1. */
  public static void main(String[] args) throws Throwable {
    String version = System.getProperty("java.specification.version");
    if (feature(version) < OLDEST) {
      System.err.println(refusal(version, System.getProperty("java.home")));
      System.exit(1);
    }
    MethodHandle main =
        MethodHandles.publicLookup()
            .findStatic(
                Class.forName(LOADER), "main", MethodType.methodType(void.class, String[].class));
    main.invokeExact(args);
  }

  /** The feature number of a Java version: 8 of {@code 1.8}, 17 of {@code 17}. */
  static int feature(String version) {
    return Integer.parseInt(version.startsWith("1.") ? version.substring(2) : version);
  }

  static String refusal(String version, String home) {
    return "Java "
        + OLDEST
        + " or later is needed, and this is Java "
        + feature(version)
        + " ("
        + home
        + "): start the jar with a newer java.";
  }
}
