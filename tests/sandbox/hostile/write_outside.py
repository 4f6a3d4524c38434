# Every folder that it can think of, the bait among them.
import os

folders = "/ /usr /usr/lib /etc /bin /var /home /root /dev /dev/shm/.. /inside /proc /opt @FOLDER@"
for folder in folders.split():
    try:
        with open(os.path.join(folder, "@BAIT@.mark"), "w") as file:
            file.write("was here")
        print("wrote", os.path.realpath(folder))
    except OSError:
        pass
