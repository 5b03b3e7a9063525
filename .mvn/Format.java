/** Checks or repairs the layout of every Java file, in one process: {@code check|fix ROOT}. */
void main(String[] args) throws IOException {
  boolean fix = args[0].equals("fix");
  Path root = Path.of(args[1]);
  List<String> sources = new ArrayList<>();
  for (String folder : List.of(".mvn", "proto/src", "model-export/src", "service/src")) {
    if (Files.isDirectory(root.resolve(folder))) {
      try (Stream<Path> files = Files.walk(root.resolve(folder))) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .map(Path::toString)
            .forEach(sources::add);
      }
    }
  }
  Collections.sort(sources);
  // Through the service interface, so that this file compiles without the formatter.
  ToolProvider formatter = ToolProvider.findFirst("google-java-format").orElseThrow();
  List<String> arguments = new ArrayList<>(fix ? List.of("--replace") : List.of("--dry-run"));
  arguments.addAll(sources);
  StringWriter changed = new StringWriter();
  StringWriter errors = new StringWriter();
  int status =
      formatter.run(
          new PrintWriter(changed), new PrintWriter(errors), arguments.toArray(String[]::new));
  if (status != 0 || !errors.toString().isBlank()) {
    System.err.print(errors);
    System.exit(1);
  }
  List<String> names = changed.toString().lines().toList();
  if (!names.isEmpty()) {
    System.err.println("Not laid out as google-java-format does it:");
    names.forEach(name -> System.err.println("  " + root.relativize(Path.of(name))));
    System.err.println("`mvn -q -Pformat` repairs them.");
    System.exit(1);
  }
}
