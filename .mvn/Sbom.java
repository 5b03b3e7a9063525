/**
 * Checks that a service's jar lists itself: each of its libraries is in its SBOM, with the bytes
 * that it has, and all else there are Spring Boot's starters, which have no classes: {@code JAR}.
 */
void main(String[] args) throws Exception {
  Map<String, String> libraries = new TreeMap<>();
  String sbom = "";
  try (ZipFile jar = new ZipFile(args[0])) {
    for (ZipEntry entry : Collections.list(jar.entries())) {
      String name = entry.getName();
      if (name.startsWith("BOOT-INF/lib/") && name.endsWith(".jar")) {
        byte[] bytes = jar.getInputStream(entry).readAllBytes();
        libraries.put(
            name.substring(name.lastIndexOf('/') + 1),
            HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
      } else if (name.equals("META-INF/sbom/application.cdx.json")) {
        sbom = new String(jar.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
      }
    }
  }
  Map<String, String> listed = listed(sbom);
  List<String> problems = new ArrayList<>();
  libraries.forEach(
      (name, hash) -> {
        // Takes the jar apart for an image, and stays out of it.
        if (!name.startsWith("spring-boot-jarmode-tools-") && !hash.equals(listed.get(name))) {
          problems.add(
              listed.containsKey(name)
                  ? name + " has other bytes than the SBOM says"
                  : name + " is not in the SBOM");
        }
      });
  listed.keySet().stream()
      .filter(name -> !libraries.containsKey(name) && !name.startsWith("spring-boot-starter-"))
      .forEach(name -> problems.add(name + " is in the SBOM, and not in the jar"));
  if (libraries.isEmpty()) {
    problems.add("no libraries in BOOT-INF/lib");
  }
  if (!problems.isEmpty()) {
    System.err.println(args[0] + " and META-INF/sbom/application.cdx.json in it do not agree:");
    problems.forEach(problem -> System.err.println("  " + problem));
    System.err.println("Maven makes the SBOM while it is online only: build without -o.");
    System.exit(1);
  }
}

/** Names of jars that the SBOM lists, each with its hash. */
Map<String, String> listed(String sbom) {
  Pattern purl =
      Pattern.compile(
          "\"purl\" : \"pkg:maven/[^/\"]+/(?<name>[^@\"]+)@(?<version>[^?\"]+)"
              + "\\?(?:classifier=(?<classifier>[^&\"]+)&)?type=jar\"");
  Pattern hash = Pattern.compile("\"alg\" : \"SHA-256\",\\s+\"content\" : \"([0-9a-f]{64})\"");
  Map<String, String> found = new TreeMap<>();
  int components = Math.max(0, sbom.indexOf("\n  \"components\" : ["));
  Matcher name = purl.matcher(sbom);
  Matcher bytes = hash.matcher(sbom);
  // A component's hashes stand before its address.
  for (int start = components; name.find(start); start = name.end()) {
    String classifier = name.group("classifier");
    found.put(
        name.group("name")
            + "-"
            + name.group("version")
            + (classifier == null ? "" : "-" + classifier)
            + ".jar",
        bytes.find(start) && bytes.start() < name.start() ? bytes.group(1) : "");
  }
  return found;
}
