"""The Trainer of Transformers is followed by one callback."""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

pytestmark = pytest.mark.filterwarnings("ignore")


def test_what_the_trainer_logs_is_logged(run, tmp_path, attributes, series, kept, signature):
    """Loss and rate at its steps, its arguments, and the model in a folder that can be loaded."""
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    model = transformers.BertForSequenceClassification(config)
    rows = [{"input_ids": torch.tensor([1, 2, 3]), "labels": torch.tensor(one % 2)} for one in range(8)]
    settings = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        max_steps=4,
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        per_device_train_batch_size=2,
        save_strategy="no",
        disable_tqdm=True,
    )
    transformers.Trainer(model, settings, train_dataset=rows, callbacks=[run.watch("transformers")]).train()
    run.finish()
    assert len(series("loss")) == 4
    assert len(series("learning_rate")) == 4
    assert attributes()["params.max_steps"] == 4
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes(kept(f"model/{name}"))
    again = transformers.BertForSequenceClassification.from_pretrained(tmp_path)
    assert signature() == "input_ids int64[-1, 3] -> logits float32[-1, 2]"
    assert not model._forward_hooks
    ids = torch.tensor([[1, 2, 3]])
    assert torch.allclose(again.eval()(ids).logits, model.eval()(ids).logits)
