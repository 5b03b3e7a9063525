package dev.wukong.serving.retraining;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.proto.v1.EraseIdRequest;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** What is known of a user is no more, as operators and callers see it. */
@ExtendWith(OutputCaptureExtension.class)
class ErasedIdTest {
  private static final int REQUESTS = 40;

  @TempDir Path folder;
  private Path bundles = Path.of("");

  @BeforeEach
  void train() throws Exception {
    bundles = LearningModel.train(folder);
  }

  private LearningService serve(String mode) throws Exception {
    LearningService service = LearningService.start(bundles, 1, "wukong.online.gate.mode=" + mode);
    service.awaitLearning();
    return service;
  }

  private static EraseIdRequest.Builder erase(String feature) {
    return EraseIdRequest.newBuilder().setModel(LearningModel.NAME).setFeature(feature);
  }

  /** Erases up to two of these users: golden rows have others. */
  private static List<Long> erased(LearningService service, List<Long> users) {
    List<Long> erased = new ArrayList<>();
    for (long user : users) {
      try {
        var done = service.admin().eraseId(erase("user").setNumber(user).build());
        assertThat(done.getTables()).isEqualTo(1);
        erased.add(user);
      } catch (StatusRuntimeException e) {
        assertThat(e.getStatus().getCode()).isEqualTo(Code.FAILED_PRECONDITION);
        assertThat(e.getStatus().getDescription())
            .contains("golden rows")
            .doesNotContain("" + user);
      }
      if (erased.size() == 2) {
        return erased;
      }
    }
    throw new AssertionError("all users are in golden rows");
  }

  private static float[] answer(LearningService service, long user) {
    return service.predict(0, user).probabilities();
  }

  @ParameterizedTest
  @CsvSource({"direct", "gated"})
  void eraseId_twoUsers_areAnsweredAlikeFromThenOn(String mode, CapturedOutput output)
      throws Exception {
    List<Long> users;
    try (LearningService service = serve(mode)) {
      Map<Long, float[]> before = new HashMap<>();
      List<Long> trained = LearningService.trainedUsers(REQUESTS);
      for (long user : trained) {
        before.put(user, answer(service, user));
      }
      service.click(1, 3, 4);

      users = erased(service, trained);

      float[] first = answer(service, users.getFirst());
      assertThat(first).isEqualTo(answer(service, users.getLast()));
      assertThat(Arrays.equals(before.get(users.getFirst()), before.get(users.getLast())))
          .isFalse();
      assertThat(Arrays.equals(before.get(users.getFirst()), first)).isFalse();
      for (long user : users) {
        assertThat(output.getAll()).doesNotContain("number: " + user);
      }
      assertThat(output.getAll()).contains("EraseId asked={model: \"learner\" feature: \"user\"}");
    }
    try (LearningService service = serve(mode)) {
      assertThat(answer(service, users.getFirst())).isEqualTo(answer(service, users.getLast()));
    }
  }

  @Test
  void eraseId_whatCannotBe_saysWhatIsNeeded() throws Exception {
    try (LearningService service = serve("direct")) {
      assertRefused(
          service,
          erase("user"),
          Code.INVALID_ARGUMENT,
          "value is absent; number or text is needed");
      assertRefused(
          service,
          erase("users").setNumber(5),
          Code.INVALID_ARGUMENT,
          "feature is 'users'; the id features are [user, segment, country, device, hour,"
              + " history,");
      assertRefused(
          service,
          erase("user").setText("secret"),
          Code.INVALID_ARGUMENT,
          "feature 'user' has whole numbers: number is needed");
      assertRefused(
          service,
          erase("segment").setNumber(5),
          Code.INVALID_ARGUMENT,
          "feature 'segment' has texts: text is needed, which is not empty");
      assertRefused(
          service,
          erase("user").setNumber(-77_777),
          Code.INVALID_ARGUMENT,
          "feature 'user' has a vocabulary, and this value is not in it: nothing is known of it");
      assertRefused(
          service,
          erase("user").setModel("other").setNumber(5),
          Code.NOT_FOUND,
          "there is no model 'other'");
    }
  }

  private static void assertRefused(
      LearningService service, EraseIdRequest.Builder request, Code code, String message) {
    assertThatThrownBy(() -> service.admin().eraseId(request.build()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(code);
              assertThat(e.getStatus().getDescription()).startsWith(message);
            });
  }
}
