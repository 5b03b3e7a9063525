package dev.wukong.serving.hosting;

import dev.wukong.serving.hosting.Routing.Share;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What operators have asked of a model's versions. Immutable.
 *
 * @param chosen a version that was asked to serve, whatever the policy says of it; 0: none
 * @param before the version that served when {@code chosen} was asked to; 0: none, or not known
 * @param held loaded, but they answer only those who ask for them
 * @param out not loaded, whatever the policy says
 * @param labels versions by label; they are loaded
 * @param shares of the requests that ask for no version, by label; at most 1 together
 */
record VersionPlan(
    long chosen,
    long before,
    Set<Long> held,
    Set<Long> out,
    Map<String, Long> labels,
    List<Share> shares) {
  /** Nothing was asked for. */
  static final VersionPlan NONE = new VersionPlan(0, 0, Set.of(), Set.of(), Map.of(), List.of());

  VersionPlan {
    held = Set.copyOf(held);
    out = Set.copyOf(out);
    labels = Map.copyOf(labels);
    shares = List.copyOf(shares);
  }

  /** Whether {@code version} may answer those who ask for none. */
  boolean mayServe(long version) {
    return !held.contains(version) && !out.contains(version);
  }

  /** Versions to be loaded beside those of the policy. */
  Set<Long> wanted() {
    Set<Long> wanted = new HashSet<>(held);
    wanted.addAll(labels.values());
    return wanted;
  }

  /** Has {@code version} loaded, for those who ask for it. */
  VersionPlan hold(long version) {
    return new VersionPlan(
        chosen == version ? 0 : chosen,
        before,
        with(held, version),
        without(out, Set.of(version)),
        labels,
        shares);
  }

  /**
   * Has {@code version} serve, and takes those out that would be preferred to it.
   *
   * @param serving the version that serves until then
   */
  VersionPlan serve(long version, Set<Long> newer, long serving) {
    Set<Long> more = new HashSet<>(without(out, Set.of(version)));
    more.addAll(newer);
    Set<Long> gone = new HashSet<>(newer);
    gone.add(version);
    long replaced = serving == version ? before : serving;
    return new VersionPlan(version, replaced, without(held, gone), more, labels, shares);
  }

  /** Has {@code version} not loaded. */
  VersionPlan takeOut(long version) {
    return new VersionPlan(
        chosen == version ? 0 : chosen,
        before,
        without(held, Set.of(version)),
        with(out, version),
        labels,
        shares);
  }

  /** With {@code label} at {@code version}; 0: without it, and without its share. */
  VersionPlan label(String label, long version) {
    Map<String, Long> changed = new HashMap<>(labels);
    if (version > 0) {
      changed.put(label, version);
      return new VersionPlan(chosen, before, held, out, changed, shares);
    }
    changed.remove(label);
    List<Share> left = shares.stream().filter(share -> !share.label().equals(label)).toList();
    return new VersionPlan(chosen, before, held, out, changed, left);
  }

  /** With these shares instead. */
  VersionPlan share(List<Share> changed) {
    return new VersionPlan(chosen, before, held, out, labels, changed);
  }

  /** The shares by which versions above {@code version} answer requests; copies are none. */
  List<Share> answeredAbove(long version) {
    return shares.stream()
        .filter(share -> !share.shadow() && labels.getOrDefault(share.label(), 0L) > version)
        .toList();
  }

  private static Set<Long> with(Set<Long> set, long version) {
    Set<Long> more = new HashSet<>(set);
    more.add(version);
    return more;
  }

  private static Set<Long> without(Set<Long> set, Set<Long> versions) {
    Set<Long> fewer = new HashSet<>(set);
    fewer.removeAll(versions);
    return fewer;
  }
}
