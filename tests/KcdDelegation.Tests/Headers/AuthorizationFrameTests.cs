using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Headers;

namespace KcdDelegation.Tests.Headers;

public sealed class AuthorizationFrameTests
{
    public static TheoryData<TokenFormat, int, int> Lengths
    {
        get
        {
            var data = new TheoryData<TokenFormat, int, int>();
            foreach (var format in (TokenFormat[])[TokenFormat.Kerberos, TokenFormat.Spnego])
            {
                foreach (var body in (int[])[60, 61, 62, 300, 1000, 4097, 12_000, 70_000])
                {
                    foreach (var tail in (int[])[1, 2, 3, 50])
                        data.Add(format, body, tail);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_value_is_the_scheme_and_the_base64_of_the_whole_token(TokenFormat format, int bodyLength, int tailLength)
    {
        var token = Tokens.ApRequest(bodyLength);
        var frame = new AuthorizationFrame(format, token.AsSpan(..^tailLength), tailLength);
        var buffer = new byte[frame.TailBufferLength];
        token.AsSpan(^tailLength..).CopyTo(buffer.AsSpan(frame.CarryLength));

        var value = CreateValue(frame, buffer);
        var bytes = new byte[frame.Length];
        frame.Write(bytes, buffer);

        value.Length.ShouldBe(frame.Length);
        Encoding.ASCII.GetString(bytes).ShouldBe(value);
        Unframe(value, format).ShouldBe(token);
    }

    [Fact]
    public void The_next_tail_gives_the_next_token()
    {
        var frame = new AuthorizationFrame(TokenFormat.Spnego, Tokens.ApRequest().AsSpan(..^10), 10);
        var buffer = new byte[frame.TailBufferLength];
        var tails = Enumerable.Range(0, 3).Select(_ => RandomNumberGenerator.GetBytes(10)).ToList();
        foreach (var tail in tails)
        {
            tail.CopyTo(buffer.AsSpan(frame.CarryLength));
            Unframe(CreateValue(frame, buffer), TokenFormat.Spnego)[^10..].ShouldBe(tail);
        }
    }

    [Fact]
    public void SPNEGO_offers_both_Kerberos_identifiers_in_the_order_of_Windows_and_nothing_else()
    {
        var token = Tokens.ApRequest();
        var frame = new AuthorizationFrame(TokenFormat.Spnego, token, 0);

        NegotiateToken.TryParse(CreateValue(frame, Carry(frame)), out var parsed).ShouldBeTrue();
        parsed!.Kind.ShouldBe(NegotiateTokenKind.SpnegoKerberos);
        parsed.Mechanisms.ShouldBe([Tokens.MicrosoftKerberos, Tokens.Kerberos]);
        parsed.MechanismToken.ToArray().ShouldBe(token);
    }

    [Fact]
    public void A_frame_without_a_definite_format_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(() => new AuthorizationFrame(TokenFormat.Auto, Tokens.ApRequest(), 0));

    private static string CreateValue(AuthorizationFrame frame, byte[] buffer) => $"Negotiate {frame.CreateParameter(buffer)}";

    private static byte[] Carry(AuthorizationFrame frame)
    {
        var buffer = new byte[frame.TailBufferLength];
        buffer.Length.ShouldBe(frame.CarryLength);
        return buffer;
    }

    private static byte[] Unframe(string value, TokenFormat format)
    {
        NegotiateToken.TryParse(value, out var parsed).ShouldBeTrue();
        parsed!.Kind.ShouldBe(format == TokenFormat.Spnego ? NegotiateTokenKind.SpnegoKerberos : NegotiateTokenKind.Kerberos);
        return parsed.MechanismToken.ToArray();
    }
}
