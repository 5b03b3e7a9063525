package dev.wukong.serving.joining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.serving.events.ScoredRequest;
import dev.wukong.serving.joining.Example.Kind;
import dev.wukong.serving.joining.Slot.Opening;
import dev.wukong.serving.joining.Slot.Phase;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How state is at rest: it comes back as it was, or says that it is damaged. */
class StateFormsTest {
  private static Followed followed() {
    Opening shown = new Opening(7, 1000, Long.MIN_VALUE);
    Candidate first = new Candidate(3, 7);
    first.put(0, new Slot(Phase.CLOSED, shown));
    first.put(2, new Slot(Phase.OPEN, new Opening(9, 2000, Long.MAX_VALUE)));
    Candidate second = new Candidate(0, 7);
    second.put(0, new Slot(Phase.LABELLED, shown));
    Followed followed = new Followed();
    followed.expose(first);
    followed.expose(second);
    boolean _ = followed.waiting().add(new Waiting(8, 1500, 5, 1, 0.25f, 2, -3));
    return followed;
  }

  private static ShownRows shown() {
    ScoredRequest request = JoinTrial.request(77, 5, 2, 3);
    return ShownRows.none(request).with(request, List.of(4, 1)).with(request, List.of(0));
  }

  private static List<Example> examples() {
    return List.of(
        new Example(
            shown().at(9, 4), 2, 0.5f, 3, Kind.LATE, Weighting.CONSTANT_WAIT, 0.7, 5, false),
        new Example(shown().at(9, 4), 0, 0, 1, Kind.NEGATIVE, Weighting.PLAIN, 1, 7, true),
        new Example(shown().at(9, 1), 1, 1, 1, Kind.POSITIVE, Weighting.FAKE_NEGATIVE, 0, 8, true));
  }

  private static JoinProgress progress() {
    JoinProgress progress = new JoinProgress();
    for (int i = 0; i < 40; i++) {
      progress.move(i, 5000L * i, 60_000, 1000);
    }
    progress.freeze(true, 10);
    progress.follow(List.of("click", "like"));
    progress.follow(List.of("like"));
    return progress;
  }

  /** A value at rest, and what reads it and writes it again. */
  record Form(byte[] bytes, Function<byte[], byte[]> again) {
    static Form of(String kind) {
      return switch (kind) {
        case "due" ->
            new Form(
                new Due(5, -1, 1L << 40, List.of(3, 1, 700)).bytes(), b -> Due.of(5, b).bytes());
        case "followed" -> new Form(followed().bytes(), b -> Followed.of(5, b).bytes());
        case "examples" ->
            new Form(ExampleBytes.of(examples()), b -> ExampleBytes.of(ExampleBytes.read(b)));
        case "shown" -> new Form(shown().bytes(), b -> ShownRows.of(5, b).bytes());
        default -> new Form(progress().bytes(), b -> JoinProgress.of(b).bytes());
      };
    }
  }

  @Test
  void read_examples_isAllThatIsLearnedFrom() {
    assertThat(ExampleBytes.read(ExampleBytes.of(examples())).stream().map(this::all).toList())
        .containsExactlyElementsOf(examples().stream().map(this::all).toList());
  }

  private String all(Example example) {
    return JoinTrial.fully(example) + " " + example.within();
  }

  @ParameterizedTest
  @ValueSource(strings = {"due", "followed", "shown", "examples", "progress"})
  void of_itsBytes_isTheSame(String kind) {
    Form form = Form.of(kind);
    assertThat(form.again().apply(form.bytes())).isEqualTo(form.bytes());
  }

  @ParameterizedTest
  @ValueSource(strings = {"due", "followed", "shown", "examples", "progress"})
  void of_cutOrLongerOrOfAnotherForm_saysThatItIsDamaged(String kind) {
    Form form = Form.of(kind);
    for (int length = 0; length <= form.bytes().length + 1; length++) {
      byte[] other = Arrays.copyOf(form.bytes(), length);
      if (length == form.bytes().length) {
        other[0]++;
      }
      assertThatThrownBy(() -> form.again().apply(other))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(" is damaged: ");
    }
  }

  /** Nothing but what is declared is thrown, and no array is made that the bytes cannot fill. */
  @ParameterizedTest
  @ValueSource(strings = {"due", "followed", "shown", "examples", "progress"})
  void of_anyBytes_isAValueOrDamaged(String kind) {
    Form form = Form.of(kind);
    SplittableRandom random = new SplittableRandom(11);
    for (int run = 0; run < 20_000; run++) {
      byte[] bytes = form.bytes().clone();
      for (int flips = random.nextInt(1, 4); flips > 0; flips--) {
        bytes[random.nextInt(1, bytes.length)] = (byte) random.nextInt();
      }
      try {
        assertThat(form.again().apply(bytes)).isNotNull();
      } catch (IllegalStateException e) {
        assertThat(e).hasMessageContaining(" is damaged: ");
      }
    }
  }

  @Test
  void with_candidates_areThoseOfTheRequest() {
    ScoredRequest request = JoinTrial.request(77, 5, 2, 3);
    ShownRows rows = ShownRows.of(5, shown().bytes());
    Shown third = rows.at(5, 4);
    assertThat(third.id()).isEqualTo(request.id());
    assertThat(third.context().ids()).containsExactly(77_000);
    assertThat(rows.at(5, 1).context().ids()).containsExactly(77_001);
    assertThat(third.candidate().ids())
        .containsExactly(request.candidates().ids()[8], request.candidates().ids()[9]);
    assertThat(third.probabilities())
        .containsExactly(Arrays.copyOfRange(request.probabilities(), 12, 15));
    assertThatThrownBy(() -> rows.at(5, 2))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("what was shown of the prediction at 5 lacks candidate 2");
  }
}
