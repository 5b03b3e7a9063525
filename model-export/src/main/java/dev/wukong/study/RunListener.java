package dev.wukong.study;

import dev.wukong.training.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Keeps the curve of a run and tells the board of it. Called by the training thread. */
final class RunListener implements Trainer.Listener {
  private final CurveFile curve;
  private final Board.Line line;
  private final long trainRows;
  private boolean begun;

  RunListener(CurveFile curve, Board.Line line, long trainRows) {
    this.curve = curve;
    this.line = line;
    this.trainRows = trainRows;
  }

  /** The curve's epochs after the checkpoint that training goes on from are made again. */
  private void begin(int epochs) {
    if (!begun) {
      try {
        curve.keep(epochs);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      begun = true;
    }
  }

  @Override
  public void progress(int epoch, long rows, long of, double loss) {
    begin(0);
    line.progress(epoch, rows, of, loss);
  }

  @Override
  public void epoch(Trainer.Epoch epoch) {
    begin(0);
    CurvePoint point = CurvePoint.of(epoch, trainRows);
    try {
      curve.add(point);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    line.epoch(point);
  }

  @Override
  public void resumed(int epochs, long rows, long of) {
    begin(epochs);
    line.resumed(epochs, rows, of);
  }

  @Override
  public void stopped(int epochs, long rows, long of) {
    line.stopped(epochs, rows, of);
  }
}
