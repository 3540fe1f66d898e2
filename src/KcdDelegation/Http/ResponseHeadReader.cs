namespace KcdDelegation.Http;

/// <summary>Follows the bytes of an HTTP/1.1 connection to find responses that have no body by their method or status.</summary>
/// <remarks>It reads status lines and the ends of header sections only. A response that it cannot read counts as one without a body: the
/// connection is then not used again.</remarks>
internal sealed class ResponseHeadReader
{
    /// <summary>The bytes of <c>HTTP/1.1 200</c>.</summary>
    private const int StatusLength = 12;

    private readonly Lock _lock = new();
    private readonly byte[] _status = new byte[StatusLength];
    private int _statusRead;
    private bool _isHead;
    private bool _lineIsEmpty;
    private State _state = State.Done;

    private enum State
    {
        /// <summary>No response is expected, or the rest of the response is of no interest.</summary>
        Done,

        /// <summary>The first bytes of a response are expected.</summary>
        Status,

        /// <summary>The rest of the header section is expected, of a response without a body.</summary>
        HeadWithoutBody,

        /// <summary>The rest of the header section is expected, of an interim response.</summary>
        InterimHead,
    }

    /// <summary>Notes what is written: a request, or a part of its body.</summary>
    public void RequestWritten(ReadOnlySpan<byte> written)
    {
        // .NET writes the head of a request at once. The body may still be written when the response has been read already.
        var lineEnd = written.IndexOf((byte)'\n');
        if (lineEnd < 0 || !written[..lineEnd].EndsWith(" HTTP/1.1\r"u8))
            return;
        lock (_lock)
        {
            _isHead = written.StartsWith("HEAD "u8);
            (_state, _statusRead) = (State.Status, 0);
        }
    }

    /// <summary>Notes what was read.</summary>
    /// <returns>True if the head of a response without a body has been read completely.</returns>
    public bool ResponseRead(ReadOnlySpan<byte> read)
    {
        lock (_lock)
        {
            foreach (var next in read)
            {
                if (_state == State.Done)
                    return false;
                if (_state == State.Status)
                    ReadStatus(next);
                else if (EndsHead(next))
                {
                    if (_state == State.HeadWithoutBody)
                    {
                        _state = State.Done;
                        return true;
                    }
                    (_state, _statusRead) = (State.Status, 0);
                }
            }
            return false;
        }
    }

    private void ReadStatus(byte next)
    {
        _status[_statusRead++] = next;
        if (_statusRead < StatusLength)
            return;
        _lineIsEmpty = false;
        _state = _status.AsSpan().StartsWith("HTTP/1."u8) switch
        {
            false => State.HeadWithoutBody,
            // RFC 9110 §15.2: a final response follows an interim one. 101 ends HTTP on this connection.
            true when _status[9] == '1' => _status.AsSpan(9).SequenceEqual("101"u8) ? State.Done : State.InterimHead,
            true => _isHead || _status.AsSpan(9).SequenceEqual("204"u8) || _status.AsSpan(9).SequenceEqual("304"u8)
                ? State.HeadWithoutBody
                : State.Done,
        };
    }

    /// <summary>Determines whether the byte ends the header section. As .NET does, this accepts lines that end with LF alone.</summary>
    private bool EndsHead(byte next)
    {
        if (next == '\n')
        {
            var ends = _lineIsEmpty;
            _lineIsEmpty = true;
            return ends;
        }
        if (next != '\r')
            _lineIsEmpty = false;
        return false;
    }
}
