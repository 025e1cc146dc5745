# Takes the built console for the compiler, if there is one and it is another: -DFROM= -DTO=
if(EXISTS ${FROM})
  file(COPY_FILE ${FROM} ${TO} ONLY_IF_DIFFERENT)
else()
  file(WRITE ${TO}.none "")
  file(COPY_FILE ${TO}.none ${TO} ONLY_IF_DIFFERENT)
endif()
