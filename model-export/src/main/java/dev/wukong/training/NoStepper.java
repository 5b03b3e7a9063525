package dev.wukong.training;

import dev.wukong.data.EncodedExamples;
import java.util.List;

/** Of a session that only scores: it has nothing that steps need. */
record NoStepper() implements Stepper {
  @Override
  public List<TrainSession.Step> run(EncodedExamples block, Steps steps) {
    throw new IllegalStateException("this session only scores");
  }
}
