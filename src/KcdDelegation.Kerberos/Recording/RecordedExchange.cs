using System.Collections.Immutable;

namespace KcdDelegation.Kerberos.Recording;

/// <summary>A request to one KDC on one connection, and what came back. Thread-safe.</summary>
internal sealed class RecordedExchange(
    ExchangeRecorder recorder, RecordedDispatch dispatch, RecordedKdc kdc, RecordedRequest? request, TimeSpan offset)
{
    private readonly Lock _lock = new();
    private ImmutableArray<RecordedReply> _replies = [];
    private string? _failure;
    private int _repetitions;
    private TimeSpan _lastOffset;

    /// <summary>Gets the step that needed the request, and the realm whose KDC was asked.</summary>
    public RecordedDispatch Dispatch => dispatch;

    public RecordedKdc Kdc => kdc;

    /// <summary>Gets the request, or null if none was sent because no connection was made.</summary>
    public RecordedRequest? Request => request;

    /// <summary>Gets the time since the recorder's start.</summary>
    public TimeSpan Offset => offset;

    /// <summary>Gets the replies. Over UDP there may be several, of which all but the last one were ignored.</summary>
    public ImmutableArray<RecordedReply> Replies
    {
        get
        {
            lock (_lock)
                return _replies;
        }
    }

    /// <summary>Gets why there is no reply, as a phrase that follows the name of the KDC. Null if there is one.</summary>
    public string? Failure
    {
        get
        {
            lock (_lock)
                return _failure;
        }
    }

    /// <summary>Gets the number of further attempts with the same failure, and the offset of the last one.</summary>
    public (int Count, TimeSpan LastOffset) Repetitions
    {
        get
        {
            lock (_lock)
                return (_repetitions, _lastOffset);
        }
    }

    /// <summary>Records a reply after its checks.</summary>
    /// <param name="reply">The encoded reply.</param>
    /// <param name="contents">The parts of the reply that were decrypted.</param>
    /// <param name="error">The exception of the checks, or null if the reply was accepted.</param>
    public void Receive(ReadOnlyMemory<byte> reply, ReplyContents contents, KerberosException? error)
    {
        var elapsed = recorder.GetOffset() - offset;
        var recorded = RecordedReply.FromMessage(reply, contents, error, recorder.GetUtcNow()) with { Elapsed = elapsed };
        lock (_lock)
            _replies = _replies.Add(recorded);
    }

    /// <summary>Records a further attempt with the same failure.</summary>
    public void Repeat()
    {
        lock (_lock)
        {
            _repetitions++;
            _lastOffset = recorder.GetOffset();
        }
    }

    /// <summary>Records that no reply came. Returns false if there is one, or if a failure is already recorded.</summary>
    public bool TryFail(string failure)
    {
        lock (_lock)
        {
            if (!_replies.IsEmpty || _failure is not null)
                return false;
            _failure = failure;
            return true;
        }
    }
}
