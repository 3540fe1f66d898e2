using System.Text.Json;
using KcdDelegation.Token;

namespace KcdDelegation.Tests.Token;

/// <summary>Tests what reading the claims of a token costs. They are read before the signature is checked.</summary>
public sealed class TokenClaimsTests
{
    [Theory]
    [InlineData(12_000, 6_000)]
    [InlineData(30_000, 15_000)]
    [InlineData(1, 30_000)]
    public void A_long_name_of_a_long_list_costs_no_more_than_the_token(int nameLength, int values)
    {
        var json = $$"""{"exp":9000000000,"{{new string('n', nameLength)}}":[{{string.Join(',', Enumerable.Repeat(1, values))}}]}""";
        using var payload = JsonDocument.Parse(json);

        Allocations.Measure(1, () => TokenClaims.Read(payload.RootElement, isAccessTokenType: true))
            .ShouldBeLessThan((values * 400L) + (nameLength * 20L));
    }
}
