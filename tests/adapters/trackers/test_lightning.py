"""Lightning is followed by one callback: epochs, rates, the early stop, and the weights."""

import pytest

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning.pytorch")

pytestmark = pytest.mark.filterwarnings("ignore")


def test_epochs_are_followed_to_the_early_stop(run, tmp_path, attributes, series, kept, signature):
    """Each epoch's metric and rate as it ends."""

    class Module(lightning.LightningModule):
        def __init__(self, width: int = 3) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, rows):
            return self.layer(rows)

        def training_step(self, batch, _):
            loss = self(batch[0]).pow(2).mean()
            self.log("loss", loss, on_epoch=True)
            self.log("still", 1.0, on_epoch=True)
            return loss

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
            return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(8, 2)), batch_size=4)
    stop = lightning.callbacks.EarlyStopping("still", patience=2, check_on_train_epoch_end=True)
    trainer = lightning.Trainer(
        max_epochs=9,
        callbacks=[run.watch("lightning"), stop],
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        accelerator="cpu",
    )
    module = Module()
    trainer.fit(module, loader)
    run.finish()
    found = attributes()
    assert found["metrics.stopped_epoch"] == 2
    assert len(series("loss")) == 3
    assert series("learning_rate")[0] in {0.1, 0.05}
    assert (found["params.width"], found["params.max_epochs"]) == (3, 9)
    assert kept("model/state.pt")
    assert signature() == "rows float32[-1, 2] -> float32[-1, 1]"
    assert not module._forward_hooks
