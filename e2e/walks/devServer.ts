// SPDX-License-Identifier: Apache-2.0

/**
 * A dev server in the Perl that every Debian has, for the inside of a sandbox: it answers with the head of the request, which
 * it also keeps, and echoes what comes over a WebSocket (RFC 6455, one short unfragmented frame at a time).
 */
export const DEV_SERVER = String.raw`
use strict; use IO::Socket::INET; $SIG{CHLD} = 'IGNORE';
my ($port, $log) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16, ReuseAddr => 1) or die $!;
while (my $c = $listener->accept) {
  next if fork;
  my $head = '';
  while (my $line = <$c>) { $head .= $line; last if $line =~ /^\r?\n$/ }
  open my $kept, '>>', $log; print $kept $head; close $kept;
  if ($head =~ /^Sec-WebSocket-Key:\s*(\S+)/mi) {
    my $hex = (split ' ', qx(printf %s '$1'258EAFA5-E914-47DA-95CA-C5AB0DC85B11 | sha1sum))[0];
    open my $raw, '>', "/tmp/sum.$$"; print $raw pack('H*', $hex); close $raw;
    my $accept = qx(base64 < /tmp/sum.$$); chomp $accept;
    print $c "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $accept\r\n\r\n";
    $c->flush;
    while (read($c, my $front, 2) == 2) {
      my ($op, $length) = (ord($front) & 15, ord(substr $front, 1) & 127);
      last if $op == 8 || $length > 125;
      read $c, my $mask, 4; read $c, my $data, $length;
      my @mask = unpack 'C4', $mask; my $i = 0;
      $data = 'echo ' . join '', map { chr(ord($_) ^ $mask[$i++ % 4]) } split //, $data;
      print $c chr(129), chr(length $data), $data; $c->flush;
    }
  } else {
    print $c "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: app=1; Domain=localhost\r\nConnection: close\r\nContent-Length: " . length($head) . "\r\n\r\n$head";
  }
  close $c; exit;
}
`;
