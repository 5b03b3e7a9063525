package dev.wukong.training;

import dev.wukong.data.RawNumber;
import java.io.Serial;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A loss, a weight or a probability that is no finite number: the data or the learning rates are
 * too large for the model's arithmetic. The message says which, where, and what may be the cause.
 */
public final class NotFiniteException extends IllegalStateException {
  @Serial private static final long serialVersionUID = 1;

  private final String what;
  private final transient @Nullable RawNumber largest;

  /** {@code what} is {@code "the loss of step 3 is NaN"}, and nothing is known of the cause. */
  NotFiniteException(String what) {
    this(what, "", null);
  }

  private NotFiniteException(String what, String cause, @Nullable RawNumber largest) {
    super(what + cause);
    this.what = what;
    this.largest = largest;
  }

  /** A result of one row of data, whose largest raw number is known. */
  static NotFiniteException of(String what, Optional<RawNumber> largest) {
    return new NotFiniteException(
        what,
        largest
            .map(number -> "; the row's largest number is " + described(number))
            .orElse("; weights or embedding rows of the model are no numbers"),
        largest.orElse(null));
  }

  /** The same, met in the data that {@code place} names. */
  public NotFiniteException in(String place) {
    return of(place + ", " + what, Optional.ofNullable(largest));
  }

  /**
   * The same where a model in training met it.
   *
   * @param ofTraining the training data's largest raw number
   * @param rates the learning rates, for the message
   */
  public NotFiniteException inTraining(Optional<RawNumber> ofTraining, String rates) {
    if (ofTraining.filter(RawNumber::extreme).isPresent()) {
      RawNumber number = ofTraining.get();
      return new NotFiniteException(
          what,
          ": the training data, row %d, has %s".formatted(number.row(), described(number)),
          largest);
    }
    if (largest != null && largest.extreme()) {
      return this;
    }
    return new NotFiniteException(
        what, ": lower the learning rates (" + rates + ") or set training.clip_norm", largest);
  }

  private static String described(RawNumber number) {
    String remedy =
        number.weight() ? "" : "; transform: log1p in the schema brings large numbers down";
    return "%s, of feature '%s'%s".formatted(number.value(), number.feature(), remedy);
  }
}
