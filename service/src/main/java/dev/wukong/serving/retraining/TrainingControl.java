package dev.wukong.serving.retraining;

import dev.wukong.serving.events.Event;
import dev.wukong.serving.hosting.ModelHost;
import dev.wukong.serving.hosting.TrainingState;
import dev.wukong.serving.hosting.TrainingStates;
import dev.wukong.serving.hosting.VersionException;
import dev.wukong.serving.hosting.VersionException.NotNow;
import dev.wukong.serving.hosting.VersionException.Unknown;
import dev.wukong.text.ShownText;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What operators may ask of a model's training. Any thread that may wait. */
public final class TrainingControl implements TrainingStates {
  private static final Logger log = LoggerFactory.getLogger(TrainingControl.class);

  private final ModelHost host;
  private final Optional<OnlineTrainer> trainer;
  private final PauseMark mark;

  /**
   * Control of the only trainer there is.
   *
   * @param trainer empty: no model learns
   * @param mark where a pause outlives the process
   */
  public TrainingControl(ModelHost host, Optional<OnlineTrainer> trainer, PauseMark mark) {
    this.host = host;
    this.trainer = trainer;
    this.mark = mark;
  }

  @Override
  public Optional<TrainingState> of(String model) {
    return trainer.filter(of -> of.model().equals(model)).map(TrainingControl::state);
  }

  /**
   * Stops training, also after a restart; returns when the step under way is over.
   *
   * @throws VersionException where the model does not learn, or that cannot be remembered
   */
  public TrainingState pause(String model) throws VersionException {
    OnlineTrainer of = trainer(model);
    try {
      mark.set();
    } catch (IOException e) {
      throw new NotNow("that training is paused cannot be remembered: " + e.getMessage());
    }
    of.pause();
    try {
      of.awaitPause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NotNow("interrupted; training is paused after the step under way");
    }
    log.info("model '{}': operators have paused training", model);
    return state(of);
  }

  /**
   * Has training go on, or try again where it had halted.
   *
   * @throws VersionException where the model does not learn, or that cannot be remembered
   */
  public TrainingState resume(String model) throws VersionException {
    OnlineTrainer of = trainer(model);
    try {
      mark.clear();
    } catch (IOException e) {
      throw new NotNow("that training goes on cannot be remembered: " + e.getMessage());
    }
    of.resume();
    log.info("model '{}': operators have training go on", model);
    return state(of);
  }

  /**
   * Has all that was learned by now serve, as the healthy state.
   *
   * @throws VersionException where the model does not learn
   */
  public TrainingState accept(String model) throws VersionException {
    return order(model, Event.Order.ACCEPT, 0);
  }

  /**
   * Has all be as a healthy state was.
   *
   * @param to its number; empty: the last one
   * @throws VersionException where the model does not learn, or has no such state
   */
  public TrainingState stepBack(String model, OptionalLong to) throws VersionException {
    OnlineTrainer of = trainer(model);
    List<Long> numbers =
        of.gate().stream().flatMap(gate -> gate.healthy().stream()).map(s -> s.number()).toList();
    if (numbers.isEmpty()) {
      throw new NotNow("model '%s' has learned nothing yet".formatted(model));
    }
    if (to.isPresent() && !numbers.contains(to.getAsLong())) {
      throw new Unknown(
          "model '%s' has no healthy state %d, there are %s"
              .formatted(model, to.getAsLong(), numbers));
    }
    return order(model, Event.Order.STEP_BACK, to.orElse(numbers.getLast()));
  }

  /**
   * What was erased.
   *
   * @param tables from which a row would go
   */
  public record Erased(int tables, TrainingState training) {}

  /**
   * Has everything forgotten that was learned about a value of an id.
   *
   * @throws VersionException where the model does not learn, or golden rows have the value
   * @throws dev.wukong.data.DataException where there is no such feature, or no such value of it
   */
  public Erased erase(String model, String feature, IdValue value) throws VersionException {
    OnlineTrainer of = trainer(model);
    long[] keys = of.keys(feature, value);
    log.info("model '{}': operators have an id of feature '{}' erased", model, feature);
    for (long key : keys) {
      TrainingState _ = ordered(of, Event.Order.ERASE, key);
    }
    return new Erased(keys.length, state(of));
  }

  private TrainingState order(String model, Event.Order order, long target)
      throws VersionException {
    OnlineTrainer of = trainer(model);
    log.info("model '{}': operators order {} {}", model, order, target);
    return ordered(of, order, target);
  }

  private static TrainingState ordered(OnlineTrainer of, Event.Order order, long target)
      throws VersionException {
    try {
      of.order(order, target).get();
      return state(of);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NotNow("interrupted; it may still be done");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof VersionException refused) {
        throw refused;
      }
      throw new IllegalStateException("an order failed", e);
    }
  }

  /**
   * What an export wrote.
   *
   * @param version of the new bundle
   * @param source the version that had learned, with
   * @param epoch who had trained it last, and
   * @param dense how often its dense weights had changed
   * @param manifestSha256 of the new bundle
   */
  public record Exported(
      long version, long source, long epoch, long dense, String manifestSha256) {}

  /**
   * Writes what was learned by the last commit as the model's next version; training waits
   * meanwhile.
   *
   * @throws VersionException where there is nothing to write, or it cannot be written
   */
  public Exported export(String model) throws VersionException {
    OnlineTrainer of = trainer(model);
    try {
      LearnedBundle.Exported done = of.export().get();
      return new Exported(
          done.version(), done.source(), done.epoch(), done.dense(), done.manifestSha256());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NotNow("interrupted; the export may still be written");
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case VersionException refused -> throw refused;
        case IOException failed ->
            throw new NotNow(
                "model '%s' cannot be exported: %s".formatted(model, failed.getMessage()));
        case null, default -> throw new IllegalStateException("an export failed", e);
      }
    }
  }

  private OnlineTrainer trainer(String model) throws VersionException {
    Optional<OnlineTrainer> found = trainer.filter(of -> of.model().equals(model));
    if (found.isPresent()) {
      return found.get();
    }
    if (host.model(model).isEmpty()) {
      throw new Unknown(
          "there is no model '%s'; there are %s".formatted(ShownText.of(model), host.names()));
    }
    throw new NotNow(
        trainer
            .map(
                other ->
                    "model '%s' does not learn; wukong.online.model is '%s'"
                        .formatted(model, other.model()))
            .orElseGet(
                () ->
                    "model '%s' does not learn; wukong.online.model names none".formatted(model)));
  }

  private static TrainingState state(OnlineTrainer of) {
    OnlineTrainer.Status status = of.status();
    TrainingState.Phase phase =
        switch (status.phase()) {
          case WAITING -> TrainingState.Phase.WAITING;
          case LEARNING -> TrainingState.Phase.LEARNING;
          case PAUSED -> TrainingState.Phase.PAUSED;
          case HALTED -> TrainingState.Phase.HALTED;
        };
    LearnedMark mark = status.mark();
    return new TrainingState(
        phase,
        status.reason(),
        status.bundle(),
        status.next(),
        of.lag(),
        mark.epoch(),
        mark.dense(),
        mark.examples(),
        of.gate());
  }
}
