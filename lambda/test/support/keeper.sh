# Waits until the test that started it ends or dies (its end of the pipe closes), then removes the PostgreSQL server that runs in the folder $1, and the folder.
trap '' INT TERM HUP
cat > /dev/null
if [ -f "$1/data/postmaster.pid" ]; then
  pid=$(head -n 1 "$1/data/postmaster.pid")
  kill -s QUIT "$pid" 2> /dev/null
  n=0
  while [ $n -lt 500 ] && kill -s 0 "$pid" 2> /dev/null; do sleep 0.01; n=$((n + 1)); done
fi
rm -rf "$1" || { sleep 0.2; rm -rf "$1"; }
