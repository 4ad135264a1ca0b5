// `pairs`: [left, right] names of pictures. Answers are kept in the browser, so that a rater can go on another day.
const store = "answers " + pairs.flat().join("").slice(0, 256);
let answers = JSON.parse(localStorage.getItem(store) || "[]");
let since = performance.now();
const image = (side) => document.getElementById(side);

function show() {
  const done = answers.length >= pairs.length;
  document.getElementById("progress").value = done
    ? "all done, thank you: save your answers" : `${answers.length + 1} of ${pairs.length}`;
  if (done) return;
  const [left, right] = pairs[answers.length];
  image("left").src = `images/${left}.png`;
  image("right").src = `images/${right}.png`;
  since = performance.now();
}

function keep() {
  localStorage.setItem(store, JSON.stringify(answers));
  show();
}

function answer(choice) {
  if (answers.length >= pairs.length) return;
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  answers.push([...pairs[answers.length], choice, seconds]);
  keep();
}

function save() {
  const rows = [["left", "right", "answer", "seconds"], ...answers];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([rows.map((row) => row.join(",") + "\n").join("")], { type: "text/csv" }));
  link.download = "votes.csv";
  link.click();
}

document.addEventListener("keydown", (event) => {
  const choice = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "same" }[event.key];
  if (choice) answer(choice);
  else if (event.key === "Backspace" && answers.length) { answers.pop(); keep(); }
  else return;
  event.preventDefault();
});
for (const button of document.querySelectorAll("footer button[value]")) {
  if (button.value) button.addEventListener("click", () => answer(button.value));
}
document.getElementById("save").addEventListener("click", save);
show();
