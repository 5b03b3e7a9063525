package dev.wukong.serving.hosting;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which loaded version answers what. Immutable, so that a request sees one state of it.
 *
 * @param loaded by number
 * @param main the number of the version that answers requests which ask for none; 0: there is none
 * @param labels versions by label; one that is not loaded answers nothing
 * @param shares of the requests that ask for no version, by label
 * @param trial answers some of what the main version would; null: there is none
 */
record Routing(
    NavigableMap<Long, HostedModel> loaded,
    long main,
    Map<String, Long> labels,
    List<Share> shares,
    @Nullable Tried trial) {
  /** Nothing is loaded. */
  static final Routing NONE = new Routing(new TreeMap<>(), 0, Map.of(), List.of(), null);

  /**
   * What was learned of a version and is tried out.
   *
   * @param model of that version
   * @param share 0 to 1, of the requests that the version would answer else
   */
  record Tried(HostedModel model, double share) {}

  /**
   * A part of the requests that ask for no version.
   *
   * @param label whose version answers them
   * @param part 0 to 1
   * @param shadow whether it only scores copies of these requests, which others answer
   */
  record Share(String label, double part, boolean shadow) {}

  Routing {
    loaded = Collections.unmodifiableNavigableMap(new TreeMap<>(loaded));
    labels = Map.copyOf(labels);
    shares = List.copyOf(shares);
  }

  /** That answers a request which asks for no version; null while none does. */
  @Nullable HostedModel serving() {
    return loaded.get(main);
  }

  /**
   * The same by shares.
   *
   * @param point of the request, in [0, 1): equal ones go to the same version
   */
  @Nullable HostedModel at(double point) {
    double below = 0;
    for (Share share : shares) {
      if (share.shadow()) {
        continue;
      }
      below += share.part();
      if (point < below) {
        HostedModel model = labelled(share.label());
        return model == null ? serving() : model;
      }
    }
    Tried tried = trial;
    if (tried != null
        && tried.model().bundle() == main
        && point >= 1 - tried.share() * Math.max(0, 1 - below)) {
      return tried.model();
    }
    return serving();
  }

  /** The labels whose versions score a copy of a request at {@code point}. */
  List<String> copies(double point) {
    List<String> labels = List.of();
    for (Share share : shares) {
      // From the other end than those who answer, so that a canary's requests are the last.
      if (share.shadow() && point >= 1 - share.part() && labelled(share.label()) != null) {
        labels = labels.isEmpty() ? new ArrayList<>() : labels;
        labels.add(share.label());
      }
    }
    return labels;
  }

  @Nullable HostedModel labelled(String label) {
    Long version = labels.get(label);
    return version == null ? null : loaded.get(version);
  }

  Routing with(HostedModel model) {
    NavigableMap<Long, HostedModel> more = new TreeMap<>(loaded);
    more.put(model.bundle(), model);
    return new Routing(more, main, labels, shares, trial);
  }

  Routing without(long version) {
    NavigableMap<Long, HostedModel> fewer = new TreeMap<>(loaded);
    fewer.remove(version);
    return new Routing(fewer, main == version ? 0 : main, labels, shares, trial);
  }

  Routing withMain(long version) {
    return new Routing(loaded, version, labels, shares, trial);
  }

  Routing withLabels(Map<String, Long> labels, List<Share> shares) {
    return new Routing(loaded, main, labels, shares, trial);
  }

  Routing withTrial(@Nullable Tried next) {
    return new Routing(loaded, main, labels, shares, next);
  }
}
