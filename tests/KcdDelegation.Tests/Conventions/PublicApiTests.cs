namespace KcdDelegation.Tests.Conventions;

/// <summary>Tests of the size of the public API. Its members are listed in <c>PublicAPI.*.txt</c>, which analyzers compare with the
/// sources.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void Engine_and_library_have_at_most_sixty_public_types() =>
        (Repository.Engine.GetExportedTypes().Length + Repository.Library.GetExportedTypes().Length).ShouldBeLessThanOrEqualTo(60);
}
