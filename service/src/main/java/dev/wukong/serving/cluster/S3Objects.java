package dev.wukong.serving.cluster;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.core.SdkSystemSetting;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Objects of a bucket, by the interface of S3, which many stores have. Credentials and region are
 * found as all of Amazon's programs find them: by environment, files, or what the machine or pod
 * was given.
 */
public final class S3Objects implements ObjectStore {
  /** How the location of objects in a bucket begins. */
  public static final String SCHEME = "s3://";

  private static final Pattern LOCATION =
      Pattern.compile(
          "s3://(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?<prefix>(/[A-Za-z0-9_.=-]+)*)/?");

  /** What S3 takes in one go. */
  private static final long MOST_BYTES = 5L << 30;

  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration SILENCE = Duration.ofSeconds(30);

  private final S3Client client;
  private final String bucket;

  /** Of all keys; empty, or with '/' at its end. */
  private final String prefix;

  private S3Objects(S3Client client, String bucket, String prefix) {
    this.client = client;
    this.bucket = bucket;
    this.prefix = prefix;
  }

  /**
   * Those below {@code location}; nothing is asked yet.
   *
   * @param location {@code s3://bucket/prefix}
   * @param endpoint of another store than Amazon's, {@code http://} or {@code https://}; may be
   *     empty
   * @throws IllegalArgumentException if one of them is not as it must be
   * @throws IOException if no region is given
   */
  public static S3Objects of(String location, String endpoint) throws IOException {
    check(location, endpoint);
    Matcher parts = LOCATION.matcher(location);
    boolean _ = parts.matches();
    S3ClientBuilder builder =
        S3Client.builder()
            .httpClient(
                UrlConnectionHttpClient.builder()
                    .connectionTimeout(CONNECT)
                    .socketTimeout(SILENCE)
                    .build())
            // All is checked by its own hash, and not every store knows these sums.
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
    if (!endpoint.isEmpty()) {
      var _ =
          builder
              .endpointOverride(URI.create(endpoint))
              // It has to be something: most such stores know no regions.
              .region(Region.of(SdkSystemSetting.AWS_REGION.getStringValue().orElse("us-east-1")))
              .forcePathStyle(true);
    }
    String prefix = parts.group("prefix");
    try {
      return new S3Objects(
          builder.build(),
          parts.group("bucket"),
          prefix.isEmpty() ? "" : prefix.substring(1) + "/");
    } catch (SdkException e) {
      throw failed("cannot be used", location, e);
    }
  }

  /**
   * Whether these can be used.
   *
   * @throws IllegalArgumentException says which cannot
   */
  public static void check(String location, String endpoint) {
    if (!LOCATION.matcher(location).matches()) {
      throw new IllegalArgumentException(
          "location is '%s'; allowed are a folder, and s3://BUCKET or s3://BUCKET/PREFIX"
              .formatted(location));
    }
    if (!endpoint.isEmpty() && !isEndpoint(endpoint)) {
      throw new IllegalArgumentException(
          "endpoint is '%s'; allowed are http://HOST:PORT and https://HOST:PORT"
              .formatted(endpoint));
    }
  }

  private static boolean isEndpoint(String endpoint) {
    try {
      URI uri = URI.create(endpoint);
      return uri.getHost() != null
          && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Override
  public void put(String name, Path file) throws IOException {
    if (Files.size(file) > MOST_BYTES) {
      throw new IOException(
          "%s has %d bytes, and an object may have %d"
              .formatted(file, Files.size(file), MOST_BYTES));
    }
    try {
      var _ =
          client.putObject(
              put -> put.bucket(bucket).key(prefix + name), RequestBody.fromFile(file));
    } catch (SdkException e) {
      throw failed("cannot be put", name, e);
    }
  }

  @Override
  public void get(String name, Path file) throws IOException {
    try {
      var _ = client.getObject(get -> get.bucket(bucket).key(prefix + name), file);
    } catch (NoSuchKeyException e) {
      throw missing(name, e);
    } catch (SdkException e) {
      throw failed("cannot be got", name, e);
    }
  }

  @Override
  public List<Stored> list(String folder) throws IOException {
    List<Stored> found = new ArrayList<>();
    try {
      for (S3Object object :
          client
              .listObjectsV2Paginator(list -> list.bucket(bucket).prefix(prefix + folder + "/"))
              .contents()) {
        found.add(
            new Stored(
                object.key().substring(prefix.length()),
                object.size(),
                object.lastModified().toEpochMilli()));
      }
    } catch (SdkException e) {
      throw failed("cannot be listed", folder, e);
    }
    return found;
  }

  @Override
  public void delete(String name) throws IOException {
    try {
      var _ = client.deleteObject(delete -> delete.bucket(bucket).key(prefix + name));
    } catch (SdkException e) {
      throw failed("cannot be removed", name, e);
    }
  }

  private static NoSuchFileException missing(String name, Exception why) {
    NoSuchFileException missing = new NoSuchFileException(name);
    var _ = missing.initCause(why);
    return missing;
  }

  private static IOException failed(String what, String name, SdkException why) {
    return new IOException("%s %s: %s".formatted(name, what, why.getMessage()), why);
  }

  @Override
  public void close() {
    client.close();
  }
}
