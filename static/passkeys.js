// Adds a passkey, or answers the second step of a sign-in with one.

const button = document.querySelector("[data-passkey]");
const problem = document.querySelector("[data-passkey-problem]");
const form = document.getElementById("passkey");

async function ask() {
  const { publicKey } = JSON.parse(document.getElementById("passkey-options").textContent);
  if (button.dataset.passkey === "create") {
    const options = PublicKeyCredential.parseCreationOptionsFromJSON(publicKey);
    return navigator.credentials.create({ publicKey: options });
  }
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(publicKey);
  return navigator.credentials.get({ publicKey: options });
}

if (button && window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  button.hidden = false;
  problem.hidden = true;
  button.addEventListener("click", async () => {
    problem.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await ask());
      form.submit();
    } catch (error) {
      const canceled = error.name === "NotAllowedError";
      const known = error.name === "InvalidStateError";
      problem.textContent = canceled
        ? "The passkey was canceled, or took too long. Try again."
        : known ? "You already have a passkey on this device." : `The browser says: ${error.message}`;
      problem.hidden = false;
    }
  });
}
