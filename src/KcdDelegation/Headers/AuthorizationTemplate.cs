using System.Buffers;
using System.Runtime.CompilerServices;
using KcdDelegation.Kerberos;
using KcdDelegation.Telemetry;

namespace KcdDelegation.Headers;

/// <summary>The properties that distinguish the templates of one ticket.</summary>
/// <param name="Format">Kerberos or SPNEGO.</param>
/// <param name="MutualAuthentication">Whether the service must prove its identity; a flag inside the token.</param>
/// <param name="ChannelBinding">The application data of RFC 5929; empty for none.</param>
internal readonly record struct AuthorizationKind(TokenFormat Format, bool MutualAuthentication, ReadOnlyMemory<byte> ChannelBinding)
{
    public bool Equals(AuthorizationKind other) =>
        Format == other.Format && MutualAuthentication == other.MutualAuthentication && ChannelBinding.Length == other.ChannelBinding.Length
        && (ChannelBinding.IsEmpty || ChannelBinding.Span.SequenceEqual(other.ChannelBinding.Span));

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Format);
        hash.Add(MutualAuthentication);
        hash.AddBytes(ChannelBinding.Span);
        return hash.ToHashCode();
    }
}

/// <summary>Creates <c>Authorization</c> values from one ticket, each with a new authenticator and for one request only. Immutable,
/// thread-safe.</summary>
internal sealed class AuthorizationTemplate
{
    /// <summary>The limit for tails on the stack. An authenticator takes about 200 bytes (RFC 4120 §5.5.1); larger ones with much
    /// authorization data use the heap.</summary>
    private const int MaxTailOnStack = 1024;

    private readonly AuthorizationFrame _frame;
    private readonly AuthorizationKind _kind;

    public AuthorizationTemplate(ServiceTicket ticket, in AuthorizationKind kind)
    {
        _kind = kind;
        Request = ticket.CreateApRequest(new ApRequestOptions(kind.MutualAuthentication, kind.ChannelBinding));
        _frame = new AuthorizationFrame(kind.Format, Request.CreatePrefix(), Request.TailLength);
    }

    public ref readonly AuthorizationKind Kind => ref _kind;

    /// <summary>The AP-REQ template that replies are verified against.</summary>
    public ApRequestTemplate Request { get; }

    /// <summary>Gets the number of bytes kept, almost all of them the ticket in base64.</summary>
    public int Size => _frame.Size;

    /// <summary>Gets the number of bytes of every value.</summary>
    public int Length => _frame.Length;

    /// <summary>Creates the base64 part of the value for one request.</summary>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired.</exception>
    [SkipLocalsInit]
    public string CreateParameter(out ApRequestState state)
    {
        var buffer = GetBuffer(stackalloc byte[MaxTailOnStack]);
        state = Request.WriteTail(buffer[_frame.CarryLength..]);
        DelegationMetrics.HeaderSize.Record(_frame.Length);
        return _frame.CreateParameter(buffer);
    }

    /// <summary>Writes the value for one request, in ASCII.</summary>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired.</exception>
    public ApRequestState Write(IBufferWriter<byte> output)
    {
        var state = Write(output.GetSpan(Length));
        output.Advance(Length);
        return state;
    }

    /// <inheritdoc cref="Write(IBufferWriter{byte})"/>
    /// <param name="output">Receives the value, with at least <see cref="Length"/> bytes.</param>
    [SkipLocalsInit]
    public ApRequestState Write(Span<byte> output)
    {
        var buffer = GetBuffer(stackalloc byte[MaxTailOnStack]);
        var state = Request.WriteTail(buffer[_frame.CarryLength..]);
        DelegationMetrics.HeaderSize.Record(_frame.Length);
        _frame.Write(output, buffer);
        return state;
    }

    private Span<byte> GetBuffer(Span<byte> onStack) =>
        _frame.TailBufferLength <= onStack.Length ? onStack[.._frame.TailBufferLength] : new byte[_frame.TailBufferLength];
}
