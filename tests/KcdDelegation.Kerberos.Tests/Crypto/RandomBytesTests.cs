using System.Runtime.CompilerServices;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class RandomBytesTests
{
    [Fact]
    public async Task Draws_differ_on_one_thread_and_on_many()
    {
        var draws = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            var mine = new string[2000];
            for (int i = 0; i < mine.Length; i++)
            {
                var draw = new byte[16 + (i % 5)];
                RandomBytes.Fill(draw.AsSpan(0, i % 17), draw.AsSpan(i % 17));
                mine[i] = Hex.Text(draw.AsSpan(0, 16));
            }
            return mine;
        })));
        var all = draws.SelectMany(mine => mine).ToArray();
        all.Distinct(StringComparer.Ordinal).Count().ShouldBe(all.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(RandomBytes.Capacity)]
    [InlineData(RandomBytes.Capacity + 1)]
    [InlineData(3 * RandomBytes.Capacity)]
    public void Every_byte_is_filled_at_every_length(int length)
    {
        var ored = new byte[length];
        for (int i = 0; i < 40; i++)
        {
            var draw = new byte[length];
            var first = length * i / 40;
            RandomBytes.Fill(draw.AsSpan(0, first), draw.AsSpan(first));
            for (int k = 0; k < length; k++)
                ored[k] |= draw[k];
        }
        ored.ShouldAllBe(value => value != 0);
    }

    [Fact]
    public void Returned_bytes_are_no_longer_in_the_buffer()
    {
        var source = new RandomBytes();
        var draw = new byte[700];
        for (int i = 0; i < 20; i++)
        {
            source.Take(draw.AsSpan(0, 16), draw.AsSpan(16));
            DrawnAhead(source).AsSpan().IndexOf(draw.AsSpan(0, 16)).ShouldBe(-1);
            DrawnAhead(source).AsSpan().IndexOf(draw.AsSpan(16, 16)).ShouldBe(-1);
            draw.ShouldContain(value => value != 0);
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_drawn")]
    private static extern ref byte[] DrawnAhead(RandomBytes source);
}
