"""A risky action that needs the user's approval, harmless when approved: it removes a folder that it made itself."""

from app.demo.chat import Call, Chat, Turn

FOLDER = "twinseat-demo-build"


def next_turn(chat: Chat, number: int | None) -> Turn:
    """Make a folder, ask to remove it (`number` times, once unless told), report what the user decided."""
    last = chat.last
    asked = chat.step - 1
    if last and last.rejected and chat.step > 0:
        reason = last.output.partition(":")[2].strip()
        return Turn(text=f"You said no ({reason or 'no reason given'}). I left `{FOLDER}` as it is and stop here.")
    if chat.step == 0:
        make = Call("terminal", {"command": f"mkdir -p {FOLDER} && ls -d {FOLDER}"}, "Make a build folder")
        return Turn(text="I'm the scripted demo model. I make a folder, then ask to remove it.", calls=(make,))
    if asked < (number or 1):
        remove = Call("terminal", {"command": f"rm -rf {FOLDER}"}, "Remove the build folder", "HIGH")
        return Turn(text="Removing files can't be undone, so this needs your approval.", calls=(remove,))
    return Turn(calls=(Call("finish", {"message": f"Removed `{FOLDER}` after you approved."}),))
