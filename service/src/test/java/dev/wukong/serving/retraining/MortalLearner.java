package dev.wukong.serving.retraining;

import dev.wukong.serving.embedding.RocksRowStore;
import dev.wukong.serving.events.Logged;
import dev.wukong.serving.testing.FailingStateStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Learns a log over a store on disk and dies where a test says so, once at each place: then all in
 * memory is gone, and the next life opens the store and goes on from its last commit.
 */
final class MortalLearner {
  /** What it does when it dies. */
  enum Doing {
    /** It is about to take an event. */
    TAKES,
    /** It makes a step, some of which is done. */
    STEPS,
    /** It has made a commit, and is about to write it. */
    WRITES,
    /** The commit is on stable storage, and nobody has been told. */
    HAS_WRITTEN
  }

  /**
   * A place to die at.
   *
   * @param event that it takes, or took last
   * @param made the commit; null where there is none
   */
  record Moment(Doing doing, Logged event, Learner.@Nullable Made made) {}

  private record Place(Doing doing, long position) {}

  @SuppressWarnings("serial") // Never leaves this class.
  private static final class Death extends RuntimeException {
    Death() {
      super("it dies here", null, false, false);
    }
  }

  private final LearnerTrial trial;
  private final List<Logged> log;
  private final Path folder;
  private final Predicate<Moment> dies;
  private final Set<Place> graves = new HashSet<>();

  /** While it takes an event. */
  private @Nullable Moment taking;

  /**
   * One that was not born yet.
   *
   * @param folder of the store
   * @param dies whether it dies at a moment
   */
  MortalLearner(LearnerTrial trial, List<Logged> log, Path folder, Predicate<Moment> dies) {
    this.trial = trial;
    this.log = log;
    this.folder = folder;
    this.dies = dies;
  }

  /** Lives until all of the log is learned; how often it has died. */
  int live() throws IOException {
    while (!liveOnce()) {
      // Another life.
    }
    return graves.size();
  }

  /** Lives until it dies, or all is learned; whether that. */
  boolean liveOnce() throws IOException {
    taking = null;
    try (RocksRowStore disk = RocksRowStore.open(folder)) {
      FailingStateStore store = new FailingStateStore(disk, this::pass);
      try (Learner learner = trial.learner(store, log)) {
        while (learner.next() < log.size()) {
          Logged event = log.get(Math.toIntExact(learner.next()));
          pass(new Moment(Doing.TAKES, event, null));
          taking = new Moment(Doing.STEPS, event, null);
          boolean due = learner.take(event);
          taking = null;
          if (due) {
            Learner.Made made = learner.commit(1);
            pass(new Moment(Doing.WRITES, event, made));
            LearnerTrial.apply(store, made.commit());
            pass(new Moment(Doing.HAS_WRITTEN, event, made));
          }
        }
      }
      return true;
    } catch (Death _) {
      return false;
    }
  }

  /** Rows are read by a step, and by much else. */
  private void pass(FailingStateStore.Point point) {
    Moment step = taking;
    if (step != null && point == FailingStateStore.Point.READING) {
      pass(step);
    }
  }

  private void pass(Moment moment) {
    Place place = new Place(moment.doing(), moment.event().position());
    if (!graves.contains(place) && dies.test(moment)) {
      graves.add(place);
      throw new Death();
    }
  }
}
